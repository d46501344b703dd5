// The files of lists/, which are part of the program.
#pragma once

#include <span>
#include <string_view>

namespace pgsluice::rules {

struct ListFile {
    std::string_view name;  // "en/cities.txt"
    std::string_view text;  // a line for each entry
};

std::span<const ListFile> list_files();

}  // namespace pgsluice::rules
