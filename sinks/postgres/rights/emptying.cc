#include "sinks/postgres/rights/emptying.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>
#include <vector>

namespace pgsluice {

namespace {

void run(PostgresSession& session, const std::optional<std::string>& owner, const std::string& statement) {
    if (owner)
        session.run_as(*owner, statement);
    else
        session.connection.exec(statement);
}

std::string where(const std::string& condition) { return condition.empty() ? "" : " WHERE " + condition; }

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

void truncate_tables(PostgresSession& session, std::span<const EmptiedTable> tables, bool restart_identity) {
    std::map<std::optional<std::string>, std::vector<std::string_view>> by_owner;  // our own first
    for (const EmptiedTable& table : tables) by_owner[session.owner_to_write_as(table.table)].emplace_back(table.only);
    for (const auto& [owner, names] : by_owner) run(session, owner, truncate_statement(names, restart_identity));
}

void delete_rows(PostgresSession& session, const EmptiedTable& table) {
    run(session, session.owner_to_write_as(table.table), delete_statement(table.only, table.condition));
}

void update_rows(PostgresSession& session, const EmptiedTable& table, const std::string& assignment) {
    run(session, session.owner_to_write_as(table.table),
        fmt::format("UPDATE {} SET {}{}", table.table.name, assignment, where(table.condition)));
}

}  // namespace pgsluice
