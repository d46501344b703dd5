// A column whose type on the target is another one than on the source: its values were compared as the target's type
// has them, which may have rounded, shifted or cut them.
#pragma once

#include <string>

namespace pgsluice {

struct ConvertedColumn {
    std::string name;    // on the target
    std::string source;  // types, with length and precision
    std::string target;

    bool operator==(const ConvertedColumn&) const = default;
};

}  // namespace pgsluice
