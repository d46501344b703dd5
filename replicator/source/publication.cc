#include "replicator/source/publication.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "replicator/source/lock_wait_monitor.h"
#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;
using TableNames = std::map<std::uint32_t, std::string>;  // by OID
using Oids = std::set<std::uint32_t>;

// "pgsluice has still to copy the rows of 16401, 16405", the tables' OIDs.
constexpr std::string_view due_prefix = "pgsluice has still to copy the rows of ";

struct Publication {
    bool all_tables = false;
    bool options_fit = false;
    bool plain = true;  // no row filters, column lists or whole schemas
    TableNames tables;
    Oids due;  // as its comment says
};

std::string table_list(std::span<const CatalogTable> tables) {
    std::string list;
    for (const auto& table : tables) {
        list += fmt::format("{}ONLY {}", list.empty() ? "" : ", ", sql::quote_qualified(table.schema, table.name));
    }
    return list;
}

std::string options_list(bool via_partition_root) {
    return fmt::format("publish = 'insert, update, delete, truncate', publish_via_partition_root = {}",
                       via_partition_root ? "true" : "false");
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

Publication read(sql::Connection& connection, const std::string& name, bool via_partition_root) {
    const std::string root = via_partition_root ? "t" : "f";
    const auto head = connection.query(
        "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot = "
        "$2::pg_catalog.bool, pg_catalog.obj_description(oid, 'pg_publication') "
        "FROM pg_catalog.pg_publication WHERE pubname = $1",
        {sql::Param(name), sql::Param(root)}, {3, 1, 1});
    Publication found{head.boolean(0, 0), head.boolean(0, 1), true, {}, due_in(head.get(0, 2).value_or(""))};
    const auto members = connection.query(
        "SELECT r.prrelid, n.nspname || '.' || c.relname, "
        "  (pg_catalog.to_jsonb(r) ->> 'prqual') IS NULL AND (pg_catalog.to_jsonb(r) ->> 'prattrs') IS NULL "
        "FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid "
        "JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE p.pubname = $1",
        {sql::Param(name)}, {3});
    for (int row = 0; row < members.rows(); ++row) {
        found.tables[static_cast<std::uint32_t>(members.integer(row, 0))] = members.text(row, 1);
        found.plain = found.plain && members.boolean(row, 2);
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

std::string comment_statement(const std::string& quoted, const Oids& due) {
    const std::string text = due.empty() ? "NULL" : fmt::format("'{}{}'", due_prefix, fmt::join(due, ", "));
    return fmt::format("COMMENT ON PUBLICATION {} IS {}", quoted, text);
}

// Of the wanted tables, those that join now and those that joined in a session that did not come to copy them.
DueTables due_tables(const Publication& found, const TableNames& wanted, PublishedRows rows, bool copied) {
    DueTables due;
    if (rows == PublishedRows::all_copied) return due;
    if (!copied) due.call_off = found.due;
    if (rows == PublishedRows::not_copied) return due;
    for (const auto& [oid, name] : wanted) {
        const bool noted = due.call_off.erase(oid) > 0;
        if (noted || !found.tables.contains(oid)) due.copy.insert(oid);
    }
    return due;
}

void tell(const TableNames& before, const TableNames& after, PublishedRows rows, const Log& log) {
    if (rows == PublishedRows::all_copied) return;
    for (const auto& [oid, name] : after) {
        if (before.contains(oid)) continue;
        if (rows == PublishedRows::copy_is_due) {
            log(LogLevel::info, fmt::format("table '{}' is new in the group", name));
            continue;
        }
        log(LogLevel::warning,
            fmt::format("table '{}' is new in the group: its changes are replicated from now on, rows that it holds "
                        "already are not copied (with --copy-and-stream they are)",
                        name));
    }
    for (const auto& [oid, name] : before) {
        if (!after.contains(oid)) log(LogLevel::info, fmt::format("table '{}' is no longer replicated", name));
    }
}

}  // namespace

bool publication_exists(sql::Connection& connection, const std::string& name) {
    return connection.query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1", {sql::Param(name)}, {1, 0, 1})
               .rows() == 1;
}

DueTables ensure_publication(sql::Connection& connection, const std::string& name, std::span<const CatalogTable> tables,
                             bool via_partition_root, PublishedRows rows, bool copied, const Log& log) {
    const std::string quoted = sql::quote_identifier(name);
    const StatementWatch watch(connection, log,
                               fmt::format("publication '{}'", name));  // it waits for VACUUM and DDL, for instance
    if (!publication_exists(connection, name)) {
        connection.exec(fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({})", quoted, table_list(tables),
                                    options_list(via_partition_root)),
                        fmt::format("create publication '{}'", name));
        return {};
    }
    const Publication found = read(connection, name, via_partition_root);
    if (found.all_tables) {
        throw stop_error(
            fmt::format("unable to use publication '{}': it is FOR ALL TABLES, so we did not make it", name),
            "Choose another --group, or drop the publication.");
    }
    TableNames wanted;
    for (const auto& table : tables) wanted[table.oid] = table.schema + '.' + table.name;
    const std::string doing = fmt::format("alter publication '{}'", name);
    const DueTables due = due_tables(found, wanted, rows, copied);
    Oids noted = due.copy;
    noted.insert(due.call_off.begin(), due.call_off.end());
    // In one transaction with the tables.
    const std::string note = noted == found.due ? "" : comment_statement(quoted, noted);
    if (wanted != found.tables || !found.plain) {
        connection.exec(fmt::format("ALTER PUBLICATION {} SET TABLE {}; {}", quoted, table_list(tables), note), doing);
        tell(found.tables, wanted, rows, log);
    } else if (!note.empty()) {
        connection.exec(note, doing);
    }
    if (!found.options_fit) {
        connection.exec(fmt::format("ALTER PUBLICATION {} SET ({})", quoted, options_list(via_partition_root)), doing);
    }
    return due;
}

void copy_is_done(sql::Connection& connection, const std::string& name) {
    connection.exec(comment_statement(sql::quote_identifier(name), {}), fmt::format("alter publication '{}'", name));
}

}  // namespace pgsluice
