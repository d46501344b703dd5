// A connection set up for writing what another database has already decided.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "sinks/options.h"
#include "sinks/postgres/rights/table_guard.h"
#include "sql/connection.h"

namespace pgsluice {

struct PostgresSession {
    sql::Connection connection;
    // session_replication_role = replica: no triggers, no foreign keys, and no deferrable unique or exclusion
    // constraints. Where the role may not set it, transactions start with SET CONSTRAINTS ALL DEFERRED and keep the
    // source's order.
    bool replica = false;
    // synchronous_commit, as the options or the role's and database's settings have it, is not off: what is committed
    // is durable.
    bool synchronous = true;

    [[nodiscard]] const char* begin() const noexcept {
        return replica ? "BEGIN" : "BEGIN; SET CONSTRAINTS ALL DEFERRED";
    }

    TableGuard guard{replica};
    // In the open transaction: as whom to write to the table; nothing: as ourselves (rights/table_guard.h).
    std::optional<std::string> owner_to_write_as(const WrittenTable& table) {
        return guard.owner_to_write_as(connection, table);
    }
    // As that role.
    std::int64_t run_as(const std::string& owner, const std::string& statement, std::span<const sql::Param> params = {},
                        OwnerCalls::Answer answer = OwnerCalls::Answer::rows) {
        const std::int64_t number = guard.run(connection, owner, statement, params, answer);
        if (!replica) connection.exec("SET CONSTRAINTS ALL DEFERRED");  // it made them immediate
        return number;
    }
    // In the open transaction: whether a SELECT of a boolean from the table says so (TableGuard::read).
    bool reads_true(const WrittenTable& table, const std::string& select, std::span<const sql::Param> params = {}) {
        const auto number = guard.read(connection, table, "SELECT (" + select + ")::pg_catalog.int4", params);
        if (!replica) connection.exec("SET CONSTRAINTS ALL DEFERRED");
        return number == 1;
    }
};

// What that means, for people.
const char* replication_role_text(bool replica);

// A stop Error when --target-disable-foreign-keys asks for what the role may not do.
PostgresSession open_session(const PostgresSinkOptions& options, std::stop_token stop);

}  // namespace pgsluice
