// Where a type is used: columns of it, or of an array, a domain or a composite type that holds it.
#pragma once

#include <string>
#include <vector>

#include "stream/definition/object_name.h"

namespace pgsluice {

struct TypeUse {
    ObjectName table{};
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first
    std::vector<std::string> columns{};   // names

    bool operator==(const TypeUse&) const = default;
};

}  // namespace pgsluice
