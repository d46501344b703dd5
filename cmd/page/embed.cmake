# usage: cmake -DFILES=a;b -DOUT=assets.cc -P embed.cmake
#
# Writes the files into a source that defines assets().
set(arrays "")
set(entries "")
set(number 0)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char file_${number}[] = {${bytes}};\n")
  string(APPEND entries "    Asset{\"${name}\", {file_${number}, sizeof file_${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}.new "// Written by embed.cmake.
#include \"cmd/page/assets.h\"

#include <array>

namespace pgsluice {

namespace {

${arrays}
constexpr std::array all{
${entries}};

}  // namespace

std::span<const Asset> assets() { return all; }

}  // namespace pgsluice
")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
