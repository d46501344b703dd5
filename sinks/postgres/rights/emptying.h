// Takes all rows out of tables, as whoever may be written there as (table_guard.h).
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

}  // namespace pgsluice
