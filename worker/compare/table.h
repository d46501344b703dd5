// What is compared: one table of the target, and the tables of the source whose rows are in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rules/ruleset.h"
#include "stream/change.h"
#include "worker/compare/converted_column.h"

namespace pgsluice {

// Where rows lie at one end, and how they are read there: an ordinary table or a leaf of a partitioned one.
struct RowStore {
    std::string from;  // quoted and qualified, with ONLY
    Oid oid = 0;
    std::uint64_t pages = 0;
    std::string condition{};  // of the rows that are compared; empty: all are
    // One SQL expression per compared column (ComparedTable::columns). Of a store with a plan: per column of the plan's
    // source relation, and `projection` says which column of its target each compared column is.
    std::vector<std::string> values;
    RelationPtr relation;                       // with a plan
    std::shared_ptr<const CompiledRules> plan;  // null: the values are compared as they are
    std::vector<std::size_t> projection;
    // With a plan, per compared column: the target's is a char(n), whose padding does not count.
    std::vector<bool> padded{};
    // Operations that no change brings to the target (a route without them): what only they could make equal is no
    // difference. Of a store of the source, its table's; of one of the target only `deletes` counts.
    struct LeftOut {
        bool inserts = false;
        bool updates = false;
        bool deletes = false;
    };
    LeftOut never{};
    // Of a store of the source, per key column: how a row is found by it. Empty where a rule writes to the key.
    struct KeyColumn {
        std::string quoted;  // the column; of one that the route adds, its value
        std::string type;
    };
    std::vector<KeyColumn> key;
    Oid table = 0;  // of a store of the source: the table of the group that its rows come with
};

// By what the rows are cut into ranges.
enum class RangeKey {
    plain,  // by the key column itself, whose order is the same on every server: an index finds a range again
    bytes,  // by the bytes of the key column's beginning (COLLATE "C"): its own collation may order differently at each
            // end
    hashed,  // by a hash of the key, or of the whole row where there is none: the server's, or our own of rows that are
             // read by us
};

struct ComparedTable {
    std::string schema;  // the target's
    std::string table;
    std::vector<std::string> columns;  // the target's names, of what is compared
    std::vector<std::size_t> key;      // into columns; empty: the rows are compared as a multiset
    RelationPtr relation;              // the target's, of these columns and this key: what a row is written as
    bool by_us = false;                // the rows are read by us
    RangeKey range_key = RangeKey::hashed;
    std::string range_type;           // of `bounds`: "bigint"
    std::vector<std::string> bounds;  // in order; where ranges 1, 2, ... begin. Not of our own hash
    std::size_t ranges = 1;
    std::vector<std::size_t> sample;  // the ranges that are compared, in order; empty: all
    std::vector<RowStore> source;
    std::vector<RowStore> target;
    std::vector<ConvertedColumn> converted;
    bool key_is_kept = true;  // no rule writes to a key column

    [[nodiscard]] std::string name() const { return schema + "." + table; }
};

// A table that cannot be compared, and why.
struct LeftOutTable {
    std::string name;
    std::string reason;
};

}  // namespace pgsluice
