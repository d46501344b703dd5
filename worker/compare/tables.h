// Finds out what there is to compare: the published tables of the source, what rules and routes make of them, and the
// target's tables that hold the result.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/ruleset.h"
#include "sql/connection.h"
#include "worker/compare/table.h"

namespace pgsluice {

// A table of the source as its changes name it, and where its rows lie: itself, or its partitions.
struct PublishedTable {
    RelationPtr relation;
    std::vector<Oid> stores;
    bool chosen = true;  // by --tables
};

struct TablesToCompare {
    std::vector<ComparedTable> tables;  // by name; without their bounds
    std::vector<LeftOutTable> left_out;
};

// Both connections have an empty search_path. Tables that are routed away are passed over.
TablesToCompare find_tables_to_compare(std::span<const PublishedTable> published, const Ruleset& rules,
                                       sql::Connection& source, sql::Connection& target);

// Of a column whose values are in the same order on every server, what bounds are written as.
std::optional<std::string> bounds_type(Oid source, Oid target);

}  // namespace pgsluice
