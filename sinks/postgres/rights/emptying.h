// Takes all rows out of tables, or changes all of them, as whom table_guard.h says.
#pragma once

#include <span>
#include <string>

#include "sinks/postgres/session.h"

namespace pgsluice {

struct EmptiedTable {
    WrittenTable table;
    std::string only;  // its name, with ONLY in front where rows of children are not the table's
};

EmptiedTable emptied_table(const TargetTable& table);

// In the open transaction.
void truncate_tables(PostgresSession& session, std::span<const EmptiedTable> tables, bool restart_identity);
void delete_rows(PostgresSession& session, const EmptiedTable& table);
// In all rows: "column = expression".
void update_rows(PostgresSession& session, const EmptiedTable& table, const std::string& assignment);

}  // namespace pgsluice
