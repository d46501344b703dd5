// Takes all rows out of tables, or changes all of them, as whom table_guard.h says.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/postgres/session.h"

namespace pgsluice {

struct EmptiedTable {
    WrittenTable table;
    std::string only;       // its name, with ONLY in front where rows of children are not the table's
    std::string condition;  // of the rows that go; empty: all
};

EmptiedTable emptied_table(const TargetTable& table, std::string condition = "");

// `tables` as EmptiedTable::only.
std::string truncate_statement(std::span<const std::string_view> tables, bool restart_identity);
std::string delete_statement(const std::string& only, const std::string& condition);

// In the open transaction. Tables of which all rows go are truncated, together; in replica mode, where a foreign key of
// another table refers to one of them, which is not checked then, their rows are deleted instead. Returns those.
std::vector<EmptiedTable> empty_tables(PostgresSession& session, std::vector<EmptiedTable> tables,
                                       bool restart_identity = false);
// The same rows: "column = expression".
void update_rows(PostgresSession& session, const EmptiedTable& table, const std::string& assignment);

}  // namespace pgsluice
