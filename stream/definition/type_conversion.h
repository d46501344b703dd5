// What a column's new type makes of the values that are there. Pure; by the oids of PostgreSQL's own types.
#pragma once

#include "stream/definition/table_definition.h"

namespace pgsluice {

enum class Conversion {
    none,     // every value has the text that it had, or the command fails
    written,  // no value loses anything, but its text may be another: 1 and 1.00, a date and its midnight
    other,    // values may be cut, rounded or computed
};

// Without a USING.
[[nodiscard]] Conversion conversion_of(const ColumnDefinition& before, const ColumnDefinition& after);

// Whether the result depends on the value alone, and on no setting, time zone, collation or version.
[[nodiscard]] bool is_certain(const ColumnDefinition& before, const ColumnDefinition& after);

}  // namespace pgsluice
