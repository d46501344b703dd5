// How one version of a source table is written to its target table: which column goes where and what finds a row.
#pragma once

#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/target.h"
#include "stream/change.h"

namespace pgsluice {

using ColumnSet = std::vector<bool>;  // per column of the relation

struct TargetMapping {
    // Columns that the target lacks are not written (missing_columns.h).
    TargetMapping(const Relation& source, TargetTable target);

    // How rows are found:
    enum class Match {
        unique,   // by `key`, on which the target has a unique index: one row at most
        key,      // by `key`, the source's identity, without a unique index on the target: one row is picked
        whole,    // by all columns, compared as text: one of several identical rows is picked
        nothing,  // only inserts can be applied
    };

    Relation relation;  // a copy
    TargetTable table;
    std::vector<int>
        target_of;  // per column of the relation; -1 where it is not written: the target computes it, or lacks it
    Match match = Match::nothing;
    std::vector<int> key;  // columns of the relation
    std::vector<std::string> key_equals;
    bool arbiter = false;  // the index on `key` can serve ON CONFLICT (key)
    // A row found by `key` may hold another text of it ('1.0' for '1.00'): writing over one writes the key, too.
    bool key_texts_vary = false;
    // Identity columns that are GENERATED ALWAYS cannot be SET: an update of one is a delete and an insert.
    std::vector<int> always_columns;  // outside the key
    bool always_key = false;
    // Rows may be found by a GiST index, so a statement is about one. A scan of such an index that ends at its first
    // match, and begins again with another key, can mark entries of live rows as dead, and the index does not find them
    // any more (PostgreSQL 14.23, 15.18, 18.4): what it is told to mark outlives the page that it was told of.
    bool row_by_row = false;

    [[nodiscard]] const TargetColumn& column(int number) const {
        return table.columns[static_cast<std::size_t>(target_of[static_cast<std::size_t>(number)])];
    }
    [[nodiscard]] bool writes(std::size_t number) const noexcept { return target_of[number] >= 0; }
    [[nodiscard]] bool is_key(int number) const noexcept;
    // Every version of a row stays: rows are not written over.
    [[nodiscard]] bool keeps_history() const noexcept { return relation.keeping.mode == Keeping::Mode::history; }
};

// The value that finds the row an update or a delete is about, and an update's value after it.
inline const Value& old_value(const Change& change, int column) noexcept {
    const auto at = static_cast<std::size_t>(column);
    return change.old_kind == OldRow::none ? change.new_row[at] : change.old_row[at];
}
inline const Value& new_value(const Change& change, int column) noexcept {
    const auto at = static_cast<std::size_t>(column);
    const Value& value = change.new_row[at];
    // A TOASTed value that did not change is still known where the old row holds it.
    const bool old_known =
        change.old_kind == OldRow::full || (change.old_kind == OldRow::key && change.relation->columns[at].key);
    return value.is_unchanged() && old_known ? change.old_row[at] : value;
}

bool changes_key(const TargetMapping& mapping, const Change& update) noexcept;
// The columns whose new value is known.
ColumnSet known_columns(const Change& change);
// "(id)=(42)" for messages; the columns only where no key finds the row.
std::string describe_key(const TargetMapping& mapping, const Change& change);

}  // namespace pgsluice
