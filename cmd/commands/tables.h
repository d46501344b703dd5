// `pgsluice tables` shows what a group's record says of each table; `pgsluice resnapshot` asks for new copies of some.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"
#include "stream/group/table_record.h"
#include "stream/group/tables.h"
#include "stream/last_change.h"

namespace pgsluice {

// A line of the listing.
struct TableLine {
    TableRecord record;
    std::string identity;  // "primary key (id)", "index (a, b)", "full", "none"; empty: not known
    std::optional<LastChange> last_change;
};

// By schema and name. `definitions` are those of the KV key `tables`.
std::vector<TableLine> table_lines(const std::map<Oid, TableRecord>& records, const GroupTables& definitions,
                                   const LastChanges& changes);
std::string tables_text(std::span<const TableLine> lines);
// An array of objects; their fields are described in replicator/README.md.
std::string tables_json(std::span<const TableLine> lines);

// The recorded tables that are in the group and that `choice` names, with the partitions and children of what it names.
// A stop Error for a name that finds none.
std::set<Oid> tables_to_copy_again(const std::map<Oid, TableRecord>& records, const GroupTables& definitions,
                                   const TableChoice& choice);

void run_tables(Settings settings, const Log& log, std::stop_token stop);
void run_resnapshot(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
