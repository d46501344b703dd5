// What types a sink's tables have, where it has tables of types of their own.
#pragma once

#include <map>
#include <string>

namespace pgsluice {

struct Relation;

// By the column's name: as format_type() prints it, of a domain its base type, without length or precision.
using ColumnTypeNames = std::map<std::string, std::string>;

// Implemented by sinks that write to such tables.
class KnowsColumnTypes {
   public:
    virtual ~KnowsColumnTypes() = default;
    // Called after open(), before anything is handed on. Columns that are written only; empty where the table is not
    // there.
    virtual ColumnTypeNames column_types(const Relation& target) = 0;
};

}  // namespace pgsluice
