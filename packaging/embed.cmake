# usage: cmake -DFILES=a;b -DTOP=folder -DHEADER=x.h -DNAMESPACE=x -DTYPE=T -DFUNCTION=f -DOUT=x.cc -P embed.cmake
#
# Writes the files into a source that defines the FUNCTION of HEADER: a span of TYPE, a name below TOP and the bytes of
# each.
set(arrays "")
set(entries "")
set(number 0)
foreach(file ${FILES})
  file(RELATIVE_PATH name ${TOP} ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char file_${number}[] = {${bytes}};\n")
  string(APPEND entries "    ${TYPE}{\"${name}\", {file_${number}, sizeof file_${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}.new "// Written by embed.cmake.
#include \"${HEADER}\"

#include <array>

namespace ${NAMESPACE} {

namespace {

${arrays}
constexpr std::array all{
${entries}};

}  // namespace

std::span<const ${TYPE}> ${FUNCTION}() { return all; }

}  // namespace ${NAMESPACE}
")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
