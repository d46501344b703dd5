// A connection set up for writing what another database has already decided.
#pragma once

#include <stop_token>

#include "sinks/options.h"
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
};

// A stop Error when --target-disable-foreign-keys asks for what the role may not do.
PostgresSession open_session(const PostgresSinkOptions& options, std::stop_token stop);

}  // namespace pgsluice
