// How the replicator's sessions on the source are set up.
#include "replicator/source/group_lock.h"
#include "replicator/source/session.h"

#include <doctest/doctest.h>

#include <string>

#include "sql/error.h"
#include "tests/support/postgres_server.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("the walsender gets more memory to decode in, never less than the server gives it") {
    sql::ConnectOptions options = shared_postgres().connect(shared_postgres().create_database());
    options.role = "source";
    const auto memory_after = [&](std::uint64_t bytes) {
        auto connection = connect_replication(options, {});
        raise_decoding_memory(connection.connection(), bytes);
        return std::string(connection.connection().exec("SHOW logical_decoding_work_mem").text(0, 0));
    };
    CHECK(memory_after(256 << 20) == "256MB");
    CHECK(memory_after(0) == "64MB");
    CHECK(memory_after(1 << 20) == "64MB");
    options.url = "options='-c logical_decoding_work_mem=512MB'";
    CHECK(memory_after(256 << 20) == "512MB");
}

TEST_CASE("the group's lock is taken from a backend that an earlier session of this process left, from no other") {
    const auto options = shared_postgres().connect(shared_postgres().create_database());
    sql::Connection first(options);
    sql::Connection second(options);
    {
        const GroupLock lock(first, "pgsluice_left");
        CHECK_THROWS_AS(GroupLock(second, "pgsluice_left"), Error);
    }
    sql::Connection third(options);  // the first one's connection died without a word: its backend lives
    const GroupLock lock(third, "pgsluice_left");
    CHECK_THROWS(first.exec("SELECT 1"));
    CHECK_THROWS_AS(GroupLock(second, "pgsluice_left"), Error);
}
