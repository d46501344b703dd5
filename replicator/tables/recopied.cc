#include "replicator/tables/recopied.h"

#include <fmt/format.h>

#include <algorithm>

#include "replicator/tables/rewritten.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

struct Size {
    std::string table;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};

// By the catalog's estimate; zero for one that is gone.
Size size_of(sql::Connection& source, Oid table) {
    const std::string oid = std::to_string(table);
    const auto found = source.query(
        "SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::pg_catalog.int8, "
        "c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8 "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = $1::pg_catalog.oid",
        {sql::Param(oid)}, {3, 0, 1});
    if (found.rows() == 0) return {};
    return {found.text(0, 0), static_cast<std::uint64_t>(found.integer(0, 1)),
            static_cast<std::uint64_t>(found.integer(0, 2))};
}

// Whether it is there, and the publication has neither it nor a table it is a partition of.
bool is_unpublished(sql::Connection& source, const std::string& publication, Oid table) {
    const std::string oid = std::to_string(table);
    return source
               .query(
                   "SELECT FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.oid AND NOT EXISTS (SELECT FROM "
                   "pg_catalog.pg_publication_tables p JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname "
                   "JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid AND t.relname = p.tablename "
                   "WHERE p.pubname = $2 AND (t.oid = c.oid OR t.oid IN (SELECT a.relid::pg_catalog.oid FROM "
                   "pg_catalog.pg_partition_ancestors(c.oid) AS a(relid))))",
                   {sql::Param(oid), sql::Param(publication)}, {0})
               .rows() == 1;
}

const TableDefinition& table_of(const DefinitionChange& change) { return std::get<TableDefinition>(*change.after); }

// As it was none before, or another's.
bool becomes_partition(const DefinitionChange& change) {
    if (!change.after || class_of(change) != "table" || table_of(change).bound.empty()) return false;
    if (!change.before) return true;
    const auto& before = std::get<TableDefinition>(*change.before);
    return before.bound != table_of(change).bound || before.parents != table_of(change).parents;
}

}  // namespace

bool within_limit(std::uint64_t size, std::uint64_t limit) { return limit == 0 || size <= limit; }

std::set<Oid> RecopiedTables::to_copy(const DefinitionMessage& message) {
    std::set<Oid> tables;
    for (const DefinitionChange& change : message.objects)
        if (must_be_copied(change)) tables.insert(change.oid);
    return tables;
}

// One that has left keeps the rows that the target has: nothing brings them again. The catalog says so before the
// record does. Where it was dropped meanwhile, and the log is not read up to there, they are void.
std::set<Oid> RecopiedTables::void_rows(std::set<Oid> tables) const {
    for (const Oid oid : gate_.left(tables))
        if (!size_of(ends_.source, oid).table.empty()) tables.erase(oid);
    for (const Oid oid : gate_.active(tables))
        if (is_unpublished(ends_.source, ends_.options.names.publication, oid)) tables.erase(oid);
    return tables;
}

void RecopiedTables::require_allowed(const DefinitionMessage& message, const std::set<Oid>& tables) {
    const ReplicatorOptions& options = ends_.options;
    for (const DefinitionChange& change : message.objects) {
        if (!tables.contains(change.oid)) continue;
        const std::string what =
            fmt::format("unable to replicate {} on '{}.{}': the source computed new values for its rows", message.tag,
                        table_of(change).schema, table_of(change).name);
        if (options.mode != ReplicatorMode::copy_and_stream)
            throw stop_error(what + ", and this group copies no rows",
                             "Start the replicator with --copy-and-stream, which copies the rows of this table again.");
        const Size size = size_of(ends_.source, change.oid);
        if (within_limit(size.rows, options.ddl_recopy_rows) && within_limit(size.bytes, options.ddl_recopy_bytes))
            continue;
        throw stop_error(
            fmt::format("{}, and about {} rows ({} bytes) are more than --ddl-recopy-limit allows to copy "
                        "again",
                        what, size.rows, size.bytes),
            "Start the replicator with a higher --ddl-recopy-limit, or with 0 for none, to copy the table again.");
    }
}

// A table that was detached and is attached again is copied again, for what happened to it in between did not come;
// where partitions come as their root, so is the root for any table that is attached with rows.
std::set<Oid> RecopiedTables::mark_void(DefinitionMessage& message) {
    const ReplicatorOptions& options = ends_.options;
    std::set<Oid> again;
    if (options.mode != ReplicatorMode::copy_and_stream) return again;
    for (DefinitionChange& change : message.objects) {
        if (!becomes_partition(change)) continue;
        const std::string name = fmt::format("'{}.{}'", table_of(change).schema, table_of(change).name);
        if (!options.publish_via_partition_root) {
            if (change.before && gate_.is_void(change.oid, name + " was detached and attached again"))
                again.insert(change.oid);
            continue;
        }
        std::set<Oid> roots;
        for (const ObjectName& parent : table_of(change).parents) roots.insert(parent.oid);
        for (const ObjectName& ancestor : table_of(change).ancestors) roots.insert(ancestor.oid);
        change.root_void = gate_.is_void(roots, name + " was attached to it with rows");
    }
    return again;
}

std::optional<DefinitionMessage> RecopiedTables::pass_on(DefinitionMessage message) {
    std::set<Oid> tables = void_rows(to_copy(message));
    std::set<Oid> attached = mark_void(message);
    const bool marked = std::ranges::any_of(message.objects, &DefinitionChange::root_void);
    if (tables.empty() && attached.empty() && !marked) return std::nullopt;
    // The others are gone, or so new that they are still to join, with all their rows.
    const std::set<Oid> again = gate_.active(tables);
    require_allowed(message, again);
    gate_.copy_again(again, fmt::format("{} computed new values for its rows", message.tag));
    tables.merge(attached);
    for (DefinitionChange& change : message.objects) change.recopy = tables.contains(change.oid);
    return message;
}

}  // namespace pgsluice
