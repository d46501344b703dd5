#include "sinks/postgres/ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sinks/postgres/rights/as_owner.h"

namespace pgsluice {

namespace {

constexpr const char* way_out =
    "Change the target's tables by hand, then start the worker with --target-ddl ignore until it is past this command.";

constexpr const char* duplicate_column = "42701";
constexpr const char* column_way_out =
    "The target's table has this column already. Give its rows the values that they have on the source (the column's "
    "default when it was added), then start the worker with --target-ddl ignore until it is past this command. Or copy "
    "all tables again: drop the column on the target and run the replicator once with --copy-and-stream --resnapshot.";

std::string described(const DdlMessage& message, const Change& change) {
    const std::string object = message.objects.empty() ? std::string("?") : message.objects.front().identity;
    return fmt::format("{} on '{}' at {}", message.tag, object, to_string(change.position));
}

// An index cannot be built concurrently inside a transaction. CONCURRENTLY is a reserved word, so no name looks like
// it; a command with quotes or comments is left unchanged.
std::string without_concurrently(std::string text) {
    constexpr std::string_view word = "concurrently";
    if (text.find_first_of("'\"$") != std::string::npos || text.find("--") != std::string::npos ||
        text.find("/*") != std::string::npos)
        return text;
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    const auto at = std::search(text.begin(), text.end(), word.begin(), word.end(), same);
    if (at != text.end()) text.erase(at, at + word.size());
    return text;
}

// Table or index, constraint or trigger, second primary key, attached partition, function, schema. Not a column: the
// values that the command gave it on the source are not in a copied schema.
bool is_there(const SqlError& error) {
    constexpr std::array<std::string_view, 6> states{"42P07", "42710", "42P16", "42809", "42723", "42P06"};
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

bool is_gone(const SqlError& error) {
    return error.sqlstate() == "42P01" || error.sqlstate() == "42704" || error.sqlstate() == "3F000";
}

std::string way_past(const SqlError& error) {
    if (error.sqlstate() == duplicate_column) return column_way_out;
    if (error.sqlstate() == "42501" && !error.hint().empty()) return fmt::format("{} Or: {}", error.hint(), way_out);
    return way_out;
}

void run(PostgresSession& session, const DdlStatement& statement, const std::optional<std::string>& maker) {
    sql::Connection& connection = session.connection;
    connection.query("SELECT pg_catalog.set_config('search_path', $1, true)", {sql::Param(statement.search_path)},
                     {1, 1, 1});
    // Deferred checks would keep their tables from being altered.
    if (!session.replica) connection.exec("SET CONSTRAINTS ALL IMMEDIATE");
    run_as_owner(connection, owner_of(connection, statement.tables, maker), statement.text);
    if (!session.replica) connection.exec("SET CONSTRAINTS ALL DEFERRED");
    connection.exec("SET LOCAL search_path = ''");
}

}  // namespace

std::optional<DdlStatement> ddl_statement(const Change& change, bool apply, const Log& log) {
    if (change.prefix != ddl_message_prefix) return std::nullopt;
    const DdlMessage message = decode_ddl(change.content);
    DdlStatement statement{message.command, message.search_path, described(message, change),
                           message.event == "sql_drop"};
    if (!apply) {
        log(LogLevel::info, fmt::format("not applied (--target-ddl ignore): {}", statement.what));
        return std::nullopt;
    }
    if (!message.obstacle.empty()) {
        const std::string reason = fmt::format("unable to apply {}: {}", statement.what, message.obstacle);
        // No row depends on these.
        if (message.tag != "COMMENT" && message.tag != "DROP INDEX") throw stop_error(reason, way_out);
        log(LogLevel::warning, reason);
        return std::nullopt;
    }
    for (const DdlObject& object : message.objects) {
        if (!object.table.empty()) statement.tables.push_back({object.schema, object.table});
    }
    if (message.tag == "CREATE INDEX") statement.text = without_concurrently(std::move(statement.text));
    return statement;
}

void run_ddl(PostgresSession& session, const DdlStatement& statement, const std::optional<std::string>& maker,
             const Log& log) {
    sql::Connection& connection = session.connection;
    connection.exec("SAVEPOINT pgsluice_ddl");
    try {
        run(session, statement, maker);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        const bool dropped = statement.drops && is_gone(error);
        const bool made = statement.contained && is_there(error);
        if (!dropped && !made)
            throw SqlError(error.action(), fmt::format("unable to apply {}: {}", statement.what, error.what()),
                           error.sqlstate(), way_past(error));
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_ddl");
        if (dropped)
            log(LogLevel::warning, fmt::format("{}: what it drops does not exist on the target", statement.what));
        else
            log(LogLevel::info, fmt::format("{}: came with the copied schema", statement.what));
        connection.exec("RELEASE SAVEPOINT pgsluice_ddl");
        return;
    }
    connection.exec("RELEASE SAVEPOINT pgsluice_ddl");
    log(LogLevel::info, fmt::format("applied: {}", statement.what));
}

}  // namespace pgsluice
