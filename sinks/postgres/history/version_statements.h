// The SQL that keeps every version of a row: `valid_from <= t < valid_to` for at most one version of a key at any t.
//
// A version begins at its transaction's commit time. Where the source's clock went back, or two transactions have one
// time, it begins a microsecond after the version before: nothing overlaps, and no version is empty. What a transaction
// does to a version that it made itself changes that version, and makes no other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sinks/postgres/statements.h"
#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

// "2026-11-27T03:26:25.123456Z"
std::string timestamptz_text(std::int64_t postgres_time_us);

// The number of the column that a row has after those of its relation: the commit time as text.
inline int time_column(const TargetMapping& mapping) { return static_cast<int>(mapping.relation.columns.size()); }

enum class Rows { one, many };  // parameters are texts, or arrays of them

// The versions before are closed. All columns are in the row.
Statement insert_versions(const TargetMapping& mapping, Rows rows);
// Columns that are not in `sent` are taken from the version before. Answers how many there were; `checked`: fails
// (division by zero) where a row has none and is not all sent.
Statement update_versions(const TargetMapping& mapping, const ColumnSet& sent, Rows rows, bool checked);
// The row `sent` under a new key; what is not sent comes from the version under the old one (Statement::keys), which is
// to be closed afterwards. Answers as update_versions().
Statement move_version(const TargetMapping& mapping, const ColumnSet& sent, bool checked);
// Closes what is valid now, as deleted.
Statement remove_versions(const TargetMapping& mapping, Rows rows);

// Whether columns that are written are not sent.
bool is_partial(const TargetMapping& mapping, const ColumnSet& sent);

// All rows of this worker.
std::vector<std::string> truncate_versions(const TargetMapping& mapping, const std::string& time);

// Whether any row of this worker is valid now: a condition.
std::string any_valid(const TargetMapping& mapping);

// A copy of one table, in `staging`: the written columns, as texts in columns of their own.
struct CopiedRows {
    const TargetMapping* mapping;
    std::string staging;
};
// What copies of tables that fill one (OwnRows) make of what is valid there: only differences become versions. `whole`:
// they are of all tables that fill it, so what is in none of them is closed, as deleted.
std::vector<std::string> merge_copied_versions(const std::vector<CopiedRows>& copies, const std::string& time,
                                               bool whole);

// What finds the version of a key that is valid now, and lets there be one only, as each ends at another time: "CREATE
// UNIQUE INDEX ..."; empty where the table has no key.
std::string create_end_index(const Relation& relation, const std::string& name);

}  // namespace pgsluice
