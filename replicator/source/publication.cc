#include "replicator/source/publication.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "replicator/source/lock_wait_monitor.h"
#include "replicator/source/recovery.h"
#include "sql/error.h"
#include "sql/lock_timeout.h"
#include "sql/quote.h"
#include "stream/base/pause.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;
using Oids = std::set<std::uint32_t>;

// "pgsluice has still to copy the rows of 16401, 16405", the tables' OIDs.
constexpr std::string_view due_prefix = "pgsluice has still to copy the rows of ";

struct Publication {
    bool all_tables = false;
    bool all_kinds = false;  // of changes
    bool via_root_fits = false;
    bool generated = false;  // their columns come with changes, which a copy does not read
    bool plain = true;       // no row filters, column lists or whole schemas
    Oids tables;
};

std::string table_list(std::span<const CatalogTable> tables) {
    std::string list;
    for (const auto& table : tables) {
        list += fmt::format("{}ONLY {}", list.empty() ? "" : ", ", sql::quote_qualified(table.schema, table.name));
    }
    return list;
}

std::string options_list(bool via_partition_root, bool generated) {
    return fmt::format("publish = 'insert, update, delete, truncate', publish_via_partition_root = {}{}",
                       via_partition_root ? "true" : "false", generated ? ", publish_generated_columns = none" : "");
}

Oids due_in(std::string_view comment) {
    Oids oids;
    if (!comment.starts_with(due_prefix)) return oids;
    const char* at = comment.data() + due_prefix.size();
    const char* const end = comment.data() + comment.size();
    while (at < end) {
        std::uint32_t oid = 0;
        const auto [next, error] = std::from_chars(at, end, oid);
        if (error == std::errc{}) oids.insert(oid);
        at = std::find(next, end, ' ');
        if (at < end) ++at;
    }
    return oids;
}

struct Published {
    CatalogTable table;
    bool plain = true;  // no row filter, no column list
};

std::vector<Published> published(sql::Connection& connection, const std::string& name) {
    const auto found = connection.query(
        "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relispartition, "
        "  (pg_catalog.to_jsonb(r) ->> 'prqual') IS NULL AND (pg_catalog.to_jsonb(r) ->> 'prattrs') IS NULL "
        "FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid "
        "JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE p.pubname = $1 ORDER BY n.nspname, c.relname",
        {sql::Param(name)}, {8});
    std::vector<Published> tables;
    for (int row = 0; row < found.rows(); ++row)
        tables.push_back({{static_cast<std::uint32_t>(found.integer(row, 0)), found.text(row, 1), found.text(row, 2),
                           found.text(row, 3).front(), found.text(row, 4).front(), found.text(row, 5).front(),
                           found.boolean(row, 6)},
                          found.boolean(row, 7)});
    return tables;
}

Publication read(sql::Connection& connection, const std::string& name, bool via_partition_root) {
    const std::string root = via_partition_root ? "t" : "f";
    const auto head = connection.query(
        "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate, "
        "pubviaroot = $2::pg_catalog.bool, coalesce(pg_catalog.to_jsonb(p) ->> 'pubgencols', 'n') <> 'n' "
        "FROM pg_catalog.pg_publication p WHERE pubname = $1",
        {sql::Param(name), sql::Param(root)}, {4, 1, 1});
    Publication found{head.boolean(0, 0), head.boolean(0, 1), head.boolean(0, 2), head.boolean(0, 3), true, {}};
    for (const Published& each : published(connection, name)) {
        found.tables.insert(each.table.oid);
        found.plain = found.plain && each.plain;
    }
    if (connection.server_version() >= 150000) {
        found.plain = found.plain && !connection
                                          .query(
                                              "SELECT EXISTS (SELECT FROM pg_catalog.pg_publication p "
                                              "JOIN pg_catalog.pg_publication_namespace n ON n.pnpubid = p.oid "
                                              "WHERE p.pubname = $1)",
                                              {sql::Param(name)}, {1, 1, 1})
                                          .boolean(0, 0);
    }
    return found;
}

constexpr std::chrono::milliseconds lets_others_pass{100};

// False when another session held a table's lock: one that holds a lock and waits for our snapshot, as CREATE INDEX
// CONCURRENTLY does, must not be the one to end with "deadlock detected". The tables were found a moment ago.
bool try_to_name_tables(sql::Connection& connection, const std::string& statement, const std::string& doing) {
    try {
        connection.exec(fmt::format("SET LOCAL lock_timeout = '{}'; {}", sql::gives_way_after, statement), doing);
        return true;
    } catch (const SqlError& error) {
        if (sql::is_lock_timeout(error)) return false;
        if (error.sqlstate() != "42P01") throw;
        throw retry_error(fmt::format("unable to {}: a table was dropped or renamed at the same time", doing));
    }
}

void name_tables(sql::Connection& connection, const std::string& statement, const std::string& doing) {
    while (!try_to_name_tables(connection, statement, doing)) {
        if (!pause(connection.stop(), lets_others_pass)) throw Interrupted{};
    }
}

}  // namespace

std::string publication_version(sql::Connection& connection, const std::string& name) {
    const auto found = connection.query(
        "SELECT oid::pg_catalog.text || ':' || xmin::pg_catalog.text FROM pg_catalog.pg_publication WHERE pubname = $1",
        {sql::Param(name)}, {1, 0, 1});
    return found.rows() == 0 ? std::string() : found.text(0, 0);
}

std::vector<CatalogTable> published_tables(sql::Connection& connection, const std::string& name) {
    std::vector<CatalogTable> tables;
    for (Published& each : published(connection, name)) tables.push_back(std::move(each.table));
    return tables;
}

std::vector<CatalogTable> others_published(sql::Connection& connection, const std::string& name,
                                           std::span<const CatalogTable> tables) {
    auto others = published_tables(connection, name);
    std::erase_if(others, [&](const CatalogTable& table) {
        return std::ranges::find(tables, table.oid, &CatalogTable::oid) != tables.end();
    });
    return others;
}

bool publication_exists(sql::Connection& connection, const std::string& name) {
    return connection.query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1", {sql::Param(name)}, {1, 0, 1})
               .rows() == 1;
}

namespace {

// `there`: nothing when there is no such publication.
std::vector<std::string> statements_for(const std::optional<Publication>& there, const std::string& name,
                                        std::span<const CatalogTable> tables, bool via_partition_root) {
    const std::string quoted = sql::quote_identifier(name);
    if (!there)
        return {fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({})", quoted, table_list(tables),
                            options_list(via_partition_root, false))};
    const Publication& found = *there;
    if (found.all_tables) {
        throw stop_error(
            fmt::format("unable to use publication '{}': it is FOR ALL TABLES, so it was not made by pgsluice", name),
            fmt::format("Choose another --group. If nothing needs the publication any more: DROP PUBLICATION {}.",
                        quoted));
    }
    Oids wanted;
    for (const auto& table : tables) wanted.insert(table.oid);
    std::vector<std::string> statements;
    if (wanted != found.tables || !found.plain)
        statements.push_back(fmt::format("ALTER PUBLICATION {} SET TABLE {}", quoted, table_list(tables)));
    if (!found.all_kinds || !found.via_root_fits || found.generated)
        statements.push_back(
            fmt::format("ALTER PUBLICATION {} SET ({})", quoted, options_list(via_partition_root, found.generated)));
    return statements;
}

std::optional<Publication> find(sql::Connection& connection, const std::string& name, bool via_partition_root) {
    if (!publication_exists(connection, name)) return std::nullopt;
    return read(connection, name, via_partition_root);
}

}  // namespace

std::vector<std::string> publication_statements(sql::Connection& connection, const std::string& name,
                                                std::span<const CatalogTable> tables, bool via_partition_root) {
    return statements_for(find(connection, name, via_partition_root), name, tables, via_partition_root);
}

void ensure_publication(sql::Connection& connection, const std::string& name, std::span<const CatalogTable> tables,
                        bool via_partition_root, const Log& log) {
    const StatementWatch watch(connection, log, fmt::format("publication '{}'", name));  // for VACUUM and DDL, say
    const auto there = find(connection, name, via_partition_root);
    const auto statements = statements_for(there, name, tables, via_partition_root);
    if (there && !there->all_kinds)
        log(LogLevel::warning,
            fmt::format("publication '{}' was altered by hand and did not publish all kinds of changes: those that it "
                        "did not publish are missing in the stream. {} to get them",
                        name, resnapshot_hint));
    if (there && there->generated)
        log(LogLevel::warning,
            fmt::format("publication '{}' was altered by hand and published generated columns, which copies do not "
                        "have: changes made meanwhile bring them to sinks that take them",
                        name));
    if (statements.empty()) return;
    const std::string doing = fmt::format("{} publication '{}'", there ? "alter" : "create", name);
    refuse_on_standby(connection, doing, statements, there.has_value());
    for (const std::string& statement : statements) name_tables(connection, statement, doing);
}

std::set<std::uint32_t> noted_due(sql::Connection& connection, const std::string& name) {
    const auto found = connection.query(
        "SELECT coalesce(pg_catalog.obj_description(oid, 'pg_publication'), '') FROM pg_catalog.pg_publication "
        "WHERE pubname = $1",
        {sql::Param(name)}, {1, 0, 1});
    return found.rows() == 0 ? Oids{} : due_in(found.text(0, 0));
}

void forget_noted_due(sql::Connection& connection, const std::string& name) {
    connection.exec(fmt::format("COMMENT ON PUBLICATION {} IS NULL", sql::quote_identifier(name)),
                    fmt::format("alter publication '{}'", name));
}

}  // namespace pgsluice
