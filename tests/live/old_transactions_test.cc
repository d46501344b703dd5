// Transaction numbers go round after 2^32, and what is older than half of that compares as younger: a server that has
// seen so many is made by pg_resetwal.
#include <doctest/doctest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "replicator/source/members.h"
#include "sql/catalog.h"
#include "tests/support/postgres_programs.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// As if `count` transactions had been made meanwhile, at most 2^31 less some millions.
void pass_transactions(PostgresServer& server, std::uint32_t count) {
    server.sql("postgres", "UPDATE pg_database SET datallowconn = true");
    for (const auto& name : server.rows("postgres", "SELECT datname FROM pg_database"))
        server.sql(name, "VACUUM FREEZE");
    server.sql("postgres", "CHECKPOINT");
    const std::string now = server.scalar("postgres", "SELECT pg_current_xact_id()");
    const auto next = static_cast<std::uint32_t>(std::stoull(now) + count);
    server.stop_immediate();
    constexpr std::uint32_t per_segment = 32768 * 32;
    char segment[16];
    std::snprintf(segment, sizeof segment, "/pg_xact/%04X", next / per_segment);
    std::ofstream(server.data_directory() + segment) << std::string(256 * 1024, '\0');
    ProcessOptions reset{
        .argv = {postgres_programs() + "pg_resetwal", "-f", "-x", std::to_string(next), server.data_directory()}};
    if (::getuid() == 0) reset.run_as = ::getpwnam("postgres")->pw_uid;
    Process process(std::move(reset));
    const int code = process.wait();
    INFO(process.err());
    REQUIRE(code == 0);
    if (::getuid() == 0) REQUIRE(run({"chown", "-R", "postgres:", server.data_directory()}).code == 0);
    server.start();
}

}  // namespace

TEST_CASE("a partition made more than 2^31 transactions before its root was published may hold rows") {
    const std::string programs = postgres_programs();
    if (!programs.empty() && !std::filesystem::exists(programs + "pg_resetwal")) {
        MESSAGE("these programs have no pg_resetwal");
        return;
    }
    PostgresServer server;
    const std::string db = server.create_database();
    server.sql(db, "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    server.sql(db, "CREATE TABLE old PARTITION OF r FOR VALUES FROM (0) TO (10)");
    server.sql(db, "INSERT INTO r VALUES (1)");
    pass_transactions(server, 1'200'000'000);
    pass_transactions(server, 1'200'000'000);
    server.sql(db, "CREATE PUBLICATION p FOR TABLE r");
    server.sql(db, "CREATE TABLE young PARTITION OF r FOR VALUES FROM (10) TO (20)");
    const auto starts_empty = [&] {
        sql::Connection source(server.connect(db));
        const auto root = sql::find_table(source, "public", "r").value();
        std::map<std::string, bool> found;
        for (const Member& member : find_members(source, std::vector{root}, "p", false))
            found[member.table.name] = member.starts_empty;
        return found;
    };
    CHECK(starts_empty() == std::map<std::string, bool>{{"old", false}, {"young", true}});

    pass_transactions(server, 1'200'000'000);
    pass_transactions(server, 1'200'000'000);
    server.sql(db, "CREATE TABLE youngest PARTITION OF r FOR VALUES FROM (20) TO (30)");
    CHECK(starts_empty().at("youngest"));
}
