#include "sinks/postgres/rights/emptying.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

void run(PostgresSession& session, const std::optional<std::string>& owner, const std::string& statement) {
    if (owner)
        session.run_as(*owner, statement);
    else
        session.connection.exec(statement);
}

std::string where(const std::string& condition) { return condition.empty() ? "" : " WHERE " + condition; }

void delete_rows(PostgresSession& session, const EmptiedTable& table) {
    run(session, session.owner_to_write_as(table.table), delete_statement(table.only, table.condition));
}

void truncate_tables(PostgresSession& session, std::span<const EmptiedTable> tables, bool restart_identity) {
    std::map<std::optional<std::string>, std::vector<std::string_view>> by_owner;  // our own first
    for (const EmptiedTable& table : tables) by_owner[session.owner_to_write_as(table.table)].emplace_back(table.only);
    for (const auto& [owner, names] : by_owner) run(session, owner, truncate_statement(names, restart_identity));
}

}  // namespace

std::string truncate_statement(std::span<const std::string_view> tables, bool restart_identity) {
    return fmt::format("TRUNCATE {}{}", fmt::join(tables, ", "), restart_identity ? " RESTART IDENTITY" : "");
}

std::string delete_statement(const std::string& only, const std::string& condition) {
    return fmt::format("DELETE FROM {}{}", only, where(condition));
}

EmptiedTable emptied_table(const TargetTable& table, std::string condition) {
    return {{table.name, table.oid, table.partitioned, table.foreign}, table.only, std::move(condition)};
}

std::vector<EmptiedTable> empty_tables(PostgresSession& session, std::vector<EmptiedTable> tables,
                                       bool restart_identity) {
    const auto in_part =
        std::partition(tables.begin(), tables.end(), [](const EmptiedTable& table) { return table.condition.empty(); });
    std::for_each(in_part, tables.end(), [&](const EmptiedTable& table) { delete_rows(session, table); });
    tables.erase(in_part, tables.end());
    if (tables.empty()) return tables;
    sql::Connection& connection = session.connection;
    connection.exec("SAVEPOINT pgsluice_empty");
    try {
        truncate_tables(session, tables, restart_identity);
        tables.clear();
    } catch (const SqlError& error) {
        constexpr std::string_view referred_to = "0A000";
        if (error.sqlstate() != referred_to || !session.replica) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_empty");
        for (const EmptiedTable& table : tables) delete_rows(session, table);
    }
    connection.exec("RELEASE SAVEPOINT pgsluice_empty");
    return tables;
}

void update_rows(PostgresSession& session, const EmptiedTable& table, const std::string& assignment) {
    run(session, session.owner_to_write_as(table.table),
        fmt::format("UPDATE {} SET {}{}", table.only, assignment, where(table.condition)));
}

}  // namespace pgsluice
