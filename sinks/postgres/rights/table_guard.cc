#include "sinks/postgres/rights/table_guard.h"

#include <fmt/format.h>

#include "sql/pipeline.h"
#include "sql/quote.h"

namespace pgsluice {

std::string missing_grants(sql::Connection& connection, const std::string& owner) {
    const bool with_set = connection.server_version() >= 160000;
    const auto missing = connection.query(
        fmt::format("SELECT concat_ws('; ', CASE WHEN NOT pg_has_role(current_user, $1::name, '{}') THEN "
                    "format('GRANT %I TO %I{}', $1::name, current_user) END, "
                    "CASE WHEN NOT has_database_privilege($1::name, current_database(), 'TEMPORARY') OR NOT "
                    "has_database_privilege(current_database(), 'TEMPORARY') THEN "
                    "format('GRANT TEMPORARY ON DATABASE %I TO %I, %I', current_database(), $1::name, current_user) "
                    "END)",
                    with_set ? "SET" : "MEMBER", with_set ? " WITH SET TRUE" : ""),
        {sql::Param(owner)}, {1, 1, 1});
    return missing.text(0, 0);
}

namespace {

constexpr int max_looks = 10;  // while there are other tied tables at each

Error runs_as_us(const WrittenTable& table, const ForeignCode& code, const std::string& role) {
    return stop_error(
        fmt::format("unable to write to '{}': on '{}', {}, which would run with the rights of the worker's role",
                    table.name, code.table, code.what),
        fmt::format("Drop it on the target. Or, if you trust it, give {}what is called to the worker's role (ALTER {}"
                    "FUNCTION, ALTER TYPE or ALTER DOMAIN ... OWNER TO {}). Then start the worker again.",
                    code.on_other ? "that table and " : "", code.on_other ? "TABLE, ALTER " : "",
                    sql::quote_identifier(role)));
}

Error may_not_be_owner(const WrittenTable& table, const ForeignCode& code, const std::string& role,
                       const std::string& grants) {
    return stop_error(
        fmt::format("unable to write to '{}', a table of '{}': on '{}', {}, which would run with the rights of the "
                    "worker's role; and the worker may not write there as '{}'",
                    table.name, code.owner, code.table, code.what, code.owner),
        fmt::format(
            "As a superuser, run on the target: {}, so that the worker writes there as the table's owner. Or "
            "drop what the message names. Or, if you trust it: ALTER TABLE {} OWNER TO {}, and the same for "
            "what else the message names and the functions and domains that it uses. Then start the worker again.",
            grants, table.name, sql::quote_identifier(role)));
}

std::string owner_or_refuse(sql::Connection& connection, const WrittenTable& table, const ForeignCode& code) {
    const std::string role = connection.query("SELECT current_user", {}, {1, 1, 1}).text(0, 0);
    if (code.owner_may_all) throw runs_as_us(table, code, role);
    const std::string grants = missing_grants(connection, code.owner);
    if (!grants.empty()) throw may_not_be_owner(table, code, role, grants);
    return code.owner;
}

}  // namespace

bool TableGuard::is_free_of_foreign_code(sql::Connection& connection, const WrittenTable& table) {
    const auto texts = foreign_code_parameters(table, replica_);
    std::vector<sql::WireParam> params;
    for (const auto& text : texts) params.push_back({text ? text->c_str() : nullptr, 0, false});
    sql::Pipeline pipeline(connection);
    if (!prepared_) pipeline.prepare("pgsluice_is_free", no_foreign_code_statement());
    pipeline.execute("pgsluice_is_free", params);
    const auto replies = pipeline.sync();
    if (pipeline.failure()) throw SqlError(*pipeline.failure());
    prepared_ = true;
    return replies.back().value == 1;
}

void TableGuard::learn_tied(sql::Connection& connection, const WrittenTable& table) {
    tied_[table.oid] = find_tied_tables(connection, table, replica_);
}

const std::vector<std::string>& TableGuard::tied_to(Oid table) const {
    static const std::vector<std::string> none;
    const auto known = tied_.find(table);
    return known == tied_.end() ? none : known->second;
}

void TableGuard::lock(sql::Connection& connection, const WrittenTable& table) {
    if (table.foreign) return;
    try {
        connection.exec(table.lock_statement(), fmt::format("write to '{}'", table.name));
    } catch (const SqlError& error) {
        if (table.tied.empty() || error.action() == Action::retry) throw;
        throw retry_error(fmt::format("{}; looking again at what foreign keys tie to '{}'", error.what(), table.name));
    }
}

bool TableGuard::lock_and_look(sql::Connection& connection, WrittenTable table) {
    // By their names of now; they hardly ever fire for a replica.
    if (!replica_ && (!knows_tied(table.oid) || !tied_to(table.oid).empty())) learn_tied(connection, table);
    for (int looks = 0; looks < max_looks; ++looks) {
        table.tied = tied_to(table.oid);
        lock(connection, table);
        if (is_free_of_foreign_code(connection, table)) return true;
        learn_tied(connection, table);
        if (tied_to(table.oid) == table.tied) break;
    }
    return false;
}

std::optional<std::string> TableGuard::owner_to_write_as(sql::Connection& connection, const WrittenTable& table) {
    const auto known = found_.find({table.oid, table.columns});
    if (known != found_.end()) return known->second;
    std::optional<std::string> owner;
    if (lock_and_look(connection, table)) {
        foreign_.erase(table.oid);
    } else {
        foreign_.insert(table.oid);
        owner = owner_or_refuse(connection, table, find_foreign_code(connection, table, replica_));
    }
    return found_.emplace(std::pair(table.oid, table.columns), std::move(owner)).first->second;
}

std::int64_t TableGuard::run(sql::Connection& connection, const std::string& owner, const std::string& statement,
                             std::span<const sql::Param> params, OwnerCalls::Answer answer) {
    return call(connection, owner, statement, params, answer).value_or(0);
}

std::optional<std::int64_t> TableGuard::call(sql::Connection& connection, const std::string& owner,
                                             const std::string& statement, std::span<const sql::Param> params,
                                             OwnerCalls::Answer answer) {
    const auto number = calls_.run(connection, owner, statement, params, answer);
    std::erase_if(found_, [](const auto& entry) { return !entry.second; });
    return number;
}

std::optional<std::int64_t> TableGuard::read(sql::Connection& connection, const WrittenTable& table,
                                             const std::string& statement, std::span<const sql::Param> params) {
    if (const auto owner = owner_to_write_as(connection, table))
        return call(connection, *owner, statement, params, OwnerCalls::Answer::value);
    const auto found = connection.query(statement, params, {1, 1, 1});
    return found.get(0, 0) ? std::optional(found.integer(0, 0)) : std::nullopt;
}

void TableGuard::end(sql::Connection& connection) {
    if (const std::string statement = last_statement(); !statement.empty()) connection.exec(statement);
    ended();
}

void check_code_on(sql::Connection& connection, WrittenTable table, bool replica) {
    table.tied = find_tied_tables(connection, table, replica);
    const auto texts = foreign_code_parameters(table, replica);
    const std::vector<sql::Param> parameters(texts.begin(), texts.end());
    if (connection.query(no_foreign_code_statement(), parameters, {1, 1, 1}).integer(0, 0) == 1) return;
    owner_or_refuse(connection, table, find_foreign_code(connection, table, replica));
}

WrittenTable written_table(const TargetMapping& mapping) {
    const TargetTable& table = mapping.table;
    std::vector<int> columns;
    for (const int column : mapping.target_of) {
        if (column >= 0) columns.push_back(table.columns[static_cast<std::size_t>(column)].number);
    }
    return {table.name, table.oid, table.partitioned, table.foreign, std::move(columns)};
}

}  // namespace pgsluice
