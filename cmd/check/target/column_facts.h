// What a database's catalog says of a table's columns.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sinks/postgres/column_fit.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

struct ColumnFacts {
    DeclaredType type;         // of a domain, the one below it
    std::string full;          // the type as it is declared
    bool needs_value = false;  // NOT NULL, and nothing fills it in
    bool not_null = false;
    std::string generated_as;         // the expression; empty: it is not generated
    bool generated_stored = false;    // false: not generated, or virtual
    std::vector<std::string> labels;  // of an enum, or an array of one, in their order
};

using FactsByName = std::map<std::string, ColumnFacts>;
FactsByName facts_of(sql::Connection& connection, Oid table);

}  // namespace pgsluice
