#include "sinks/postgres_snapshot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgsluice {

namespace {

void refuse_existing_rows(sql::Connection& connection, const std::vector<std::string>& tables) {
    std::vector<std::string> filled;
    for (const std::string& table : tables) {
        const auto found = connection.query(fmt::format("SELECT EXISTS (SELECT FROM {})", table), {}, {1, 1, 1});
        if (found.boolean(0, 0)) filled.push_back(table);
    }
    if (filled.empty()) return;
    throw stop_error(
        fmt::format("unable to start the copy: the target already holds rows in {}", fmt::join(filled, ", ")),
        "Empty these tables, or choose --target-existing-rows truncate (empties them) or keep (writes over "
        "rows of the same key and leaves the others).");
}

bool exists(sql::Connection& connection, const std::string& table) {
    return connection.query("SELECT to_regclass($1) IS NOT NULL", {table}, {1, 1, 1}).boolean(0, 0);
}

void empty_tables(PostgresSession& session, std::vector<std::string> tables) {
    sql::Connection& connection = session.connection;
    std::erase_if(tables, [&](const std::string& table) { return !exists(connection, table); });
    if (tables.empty()) return;
    connection.exec("SAVEPOINT pgsluice_truncate");
    try {
        connection.exec(fmt::format("TRUNCATE {}", fmt::join(tables, ", ")));
    } catch (const SqlError& error) {
        // A table that is not ours refers to one of these; in replica mode nobody checks that.
        if (error.sqlstate() != "0A000" || !session.replica) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_truncate");
        for (const std::string& table : tables) connection.exec("DELETE FROM " + table);
    }
}

}  // namespace

void prepare_snapshot(PostgresSession& session, PostgresProgress& progress, PostgresPlans& plans, ExistingRows existing,
                      const std::vector<RelationPtr>& tables, const SinkState& next) {
    sql::Connection& connection = session.connection;
    std::vector<std::string> names;
    for (const RelationPtr& relation : tables) {
        if (relation) names.push_back(plans.at(*relation)->table.name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    connection.exec("BEGIN");
    const bool unfinished = progress.state().loading_epoch != 0;
    if (!unfinished && existing == ExistingRows::error) refuse_existing_rows(connection, names);
    if (existing == ExistingRows::truncate || (unfinished && existing != ExistingRows::keep)) {
        auto emptied = progress.loading_tables();
        emptied.insert(emptied.end(), names.begin(), names.end());
        std::sort(emptied.begin(), emptied.end());
        emptied.erase(std::unique(emptied.begin(), emptied.end()), emptied.end());
        empty_tables(session, std::move(emptied));
    }
    progress.forget_loaded(std::nullopt);
    progress.forget_parked();  // the copy holds all rows anew
    progress.set_loading_tables(names);
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
