// A column of one of the source's foreign keys, and the column that it refers to.
#pragma once

#include <string>

#include "stream/change.h"

namespace pgsluice {

struct ColumnReference {
    QualifiedName table;  // that refers
    std::string column;
    QualifiedName to_table;
    std::string to_column;
    bool same_type = true;     // of both columns, with its modifier
    std::string constraint{};  // by which its columns belong together; empty where that is not known

    bool operator==(const ColumnReference&) const = default;
};

}  // namespace pgsluice
