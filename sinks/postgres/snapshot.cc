#include "sinks/postgres/snapshot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

using Names = std::set<std::string>;  // quoted and qualified

struct Present {
    std::string name;
    std::string only;  // with ONLY in front where rows of children are not the table's
};

std::string_view name_of(ExistingRows existing) {
    switch (existing) {
        case ExistingRows::truncate:
            return "truncate";
        case ExistingRows::keep:
            return "keep";
        case ExistingRows::error:
            break;
    }
    return "error";
}

// Those of the tables that are there.
std::vector<Present> present(sql::Connection& connection, const Names& tables) {
    const auto rows = connection.query(
        "SELECT q.name, CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || q.name FROM unnest($1::text[]) AS q(name) "
        "JOIN pg_class c ON c.oid = to_regclass(q.name)",
        {text_array({tables.begin(), tables.end()})}, {2});
    std::vector<Present> found;
    for (int row = 0; row < rows.rows(); ++row) found.push_back({rows.text(row, 0), rows.text(row, 1)});
    return found;
}

void refuse_existing_rows(sql::Connection& connection, const Names& tables, ExistingRows existing) {
    std::vector<std::string> filled;
    for (const Present& table : present(connection, tables)) {
        const auto found = connection.query(fmt::format("SELECT EXISTS (SELECT FROM {})", table.only), {}, {1, 1, 1});
        if (found.boolean(0, 0)) filled.push_back(table.name);
    }
    if (filled.empty()) return;
    const std::string what =
        fmt::format("unable to start the copy: the target already holds rows in {}", fmt::join(filled, ", "));
    if (existing == ExistingRows::keep) {
        throw stop_error(what + ", which has no key that would keep them from being duplicated",
                         "Empty these tables, or give them the source's primary key, or choose --target-existing-rows "
                         "truncate (empties all tables of the copy).");
    }
    throw stop_error(what,
                     "Empty these tables, or choose --target-existing-rows truncate (empties them) or keep "
                     "(overwrites rows of the same key and leaves the others).");
}

void empty_tables(PostgresSession& session, const Names& names) {
    sql::Connection& connection = session.connection;
    std::vector<std::string> tables;
    for (const Present& table : present(connection, names)) tables.push_back(table.only);
    if (tables.empty()) return;
    connection.exec("SAVEPOINT pgsluice_truncate");
    try {
        connection.exec(fmt::format("TRUNCATE {}", fmt::join(tables, ", ")));
    } catch (const SqlError& error) {
        // A table that is not ours refers to one of these; in replica mode that is not checked.
        if (error.sqlstate() != "0A000" || !session.replica) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_truncate");
        for (const std::string& table : tables) connection.exec("DELETE FROM " + table);
    }
}

}  // namespace

void prepare_snapshot(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
                      ExistingRows existing, const std::vector<RelationPtr>& tables,
                      const std::vector<RelationPtr>& replaced, const SinkState& next) {
    sql::Connection& connection = session.connection;
    connection.exec("BEGIN");
    const auto loading = progress.loading_tables();
    Names emptied(loading.begin(), loading.end());
    for (const RelationPtr& relation : replaced) emptied.insert(mappings.at(*relation)->table.name);
    Names empty;  // what has to be; where rows can be written over nothing has
    for (const RelationPtr& relation : tables) {
        if (!relation) continue;
        const TargetMapping& mapping = *mappings.at(*relation);
        if (existing == ExistingRows::truncate) emptied.insert(mapping.table.name);
        if (existing != ExistingRows::keep || !mapping.arbiter || emptied.contains(mapping.table.name))
            empty.insert(mapping.table.name);
    }
    empty_tables(session, emptied);
    refuse_existing_rows(connection, empty, existing);
    progress.forget_loaded(std::nullopt);
    progress.forget_parked(tables);  // the copy brings all their rows again
    progress.set_loading_tables({empty.begin(), empty.end()});
    progress.set_existing_rows(name_of(existing));
    progress.move(next);
    connection.exec("COMMIT");
    progress.moved(next);
}

void finish_snapshot(PostgresSession& session, PostgresProgress& progress, const SinkState& next) {
    sql::Connection& connection = session.connection;
    connection.exec("BEGIN");
    progress.forget_loaded(std::nullopt);
    progress.set_loading_tables({});
    progress.move(next);
    connection.exec("COMMIT");
    progress.moved(next);
}

}  // namespace pgsluice
