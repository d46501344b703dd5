// A server on which nothing runs but what a test does, so that this can be counted.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

inline PostgresServer& quiet_server() {
    static PostgresServer quiet({.settings = {{"autovacuum", "off"}}});
    return quiet;
}

// A session tells of the last of what it did when it ends.
inline void await_end_of_sessions(const std::string& database) {
    REQUIRE(eventually("the database's sessions end", [&] {
        return quiet_server().scalar("postgres",
                                     "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database + "'") == "0";
    }));
}

}  // namespace pgsluice::test
