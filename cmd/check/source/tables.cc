#include "cmd/check/source/tables.h"

#include <fmt/format.h>

#include "replicator/source/table_selection.h"
#include "replicator/source/tables.h"
#include "replicator/tables/wanted.h"
#include "stream/table_pattern.h"

namespace pgsluice {

namespace {

// Whether it alone can be chosen; why not is a finding.
bool is_usable(sql::Connection& connection, const TableChoice& one, Findings& found) {
    return found.attempt([&](const Log&) { resolve_tables(connection, one, silent_log); });
}

// A start stops at the first name that is wrong. Leaves out those that are.
void drop_unusable(sql::Connection& connection, TableChoice& choice, Findings& found) {
    TableChoice one;
    one.schema = choice.schema;
    one.exclude_tables = choice.exclude_tables;
    std::erase_if(choice.tables, [&](const std::string& text) {
        one.tables = {text};
        return !parse_table_pattern(text, choice.schema).wildcard() && !is_usable(connection, one, found);
    });
    one.tables.clear();
    std::erase_if(choice.schemas, [&](const std::string& schema) {
        one.schemas = {schema};
        return !sql::schema_exists(connection, schema) && !is_usable(connection, one, found);
    });
}

}  // namespace

void look_at_tables(const ReplicatorOptions& options, CheckedSource& source, Findings& found) {
    ReplicatorOptions wanted = options;
    drop_unusable(*source.connection, wanted, found);
    if (wanted.by_default() && !options.by_default()) return;
    found.attempt([&](const Log& log) {
        WantedTables tables(wanted);
        source.tables = tables.resolve(*source.connection, log);
    });
    if (source.tables.empty()) return;
    if (!selection_of(wanted).open()) found.ok(fmt::format("all {} tables are there", source.tables.size()));
    if (options.mode == ReplicatorMode::copy) return;
    found.attempt([&](const Log& log) { warn_of_refused_updates(*source.connection, source.tables, log); });
}

}  // namespace pgsluice
