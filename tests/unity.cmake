# usage: cmake -DFILES=a.cc;b.cc -DOUT=x.cc -P unity.cmake
#
# Writes a source that has the FILES in it, to be compiled at once: first what they include, then each in a namespace of
# its own, for their files' own names are often the same.
set(includes "")
set(tests "")
foreach(file ${FILES})
  file(STRINGS ${file} lines REGEX "^#include ")
  list(APPEND includes ${lines})
  get_filename_component(subject ${file} NAME_WE)
  string(APPEND tests "namespace in_${subject} {\n#include \"${file}\"\n}\n")
endforeach()
list(REMOVE_DUPLICATES includes)
list(JOIN includes "\n" includes)
file(WRITE ${OUT}.new "// Written by unity.cmake.\n${includes}\n\n${tests}")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
