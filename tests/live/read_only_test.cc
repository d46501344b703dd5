// Databases that cannot be written to for a while, and settings of others that must not reach our sessions.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "sql/connection.h"
#include "tests/support/pipeline.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Restarts the server as a standby of nobody, or as the primary it was.
void restart(PostgresServer& server, bool as_standby) {
    const std::string signal = server.data_directory() + "/standby.signal";
    server.stop_immediate();
    if (as_standby) {
        std::ofstream{signal};
    } else {
        std::filesystem::remove(signal);
    }
    server.start();
}

void set_read_only(PostgresServer& server, const std::string& value) {
    server.sql("postgres", "ALTER SYSTEM SET default_transaction_read_only = " + value);
    server.sql("postgres", "SELECT pg_reload_conf()");
    eventually("the server knows",
               [&] { return server.scalar("postgres", "SHOW default_transaction_read_only") == value; });
}

struct Group {
    Group(PostgresServer& source, PostgresServer& target) : pipeline({source, target, shared_nats()}) {
        pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY)");
    }
    void run() {
        pipeline.start();
        pipeline.settle();
    }
    void compare() {
        pipeline.on_source("INSERT INTO rows VALUES (2)");
        pipeline.check_equal({"rows"});
        pipeline.stop();
    }
    Pipeline pipeline;
};

}  // namespace

TEST_CASE("a target that becomes read-only is waited out, and ends a start") {
    PostgresServer target;
    Group group(shared_postgres(), target);
    group.run();
    set_read_only(target, "on");
    group.pipeline.on_source("INSERT INTO rows VALUES (1)");
    CHECK(says(group.pipeline.worker(), "read-only transaction; trying again"));
    set_read_only(target, "off");
    group.compare();

    set_read_only(target, "on");
    group.pipeline.start_worker({"--worker-name", "another"});
    CHECK(group.pipeline.worker().wait() == 1);
    CHECK(group.pipeline.worker().err().find("HINT: The database must be a primary that may be written to: connect to "
                                             "the primary, or set default_transaction_read_only to off.") !=
          std::string::npos);
    set_read_only(target, "off");
    group.run();
    group.pipeline.stop();
}

TEST_CASE("a target that goes into recovery is waited out") {
    PostgresServer target;
    Group group(shared_postgres(), target);
    group.run();
    restart(target, true);
    group.pipeline.on_source("INSERT INTO rows VALUES (1)");
    CHECK(says(group.pipeline.worker(), "read-only transaction; trying again"));
    restart(target, false);
    group.compare();
}

TEST_CASE("a source that goes into recovery is waited out, and ends a start") {
    PostgresServer source;
    Group group(source, shared_postgres());
    group.run();
    restart(source, true);
    CHECK(says(group.pipeline.replicator(), "it is a standby; trying again"));
    restart(source, false);
    group.compare();

    restart(source, true);
    group.pipeline.start_replicator();
    CHECK(group.pipeline.replicator().wait() == 1);
    CHECK(group.pipeline.replicator().err().find("HINT: Connect to the primary") != std::string::npos);
}

TEST_CASE("settings of the database that end sessions, delay them or change what statements mean do not reach ours") {
    const std::string database = shared_postgres().create_database();
    const std::vector<std::pair<std::string, std::string>> settings{{"statement_timeout", "9s"},
                                                                    {"lock_timeout", "9s"},
                                                                    {"idle_in_transaction_session_timeout", "9s"},
                                                                    {"idle_session_timeout", "9s"},
                                                                    {"jit", "on"},
                                                                    {"plpgsql.extra_errors", "all"},
                                                                    {"tcp_user_timeout", "9s"},
                                                                    {"array_nulls", "off"},
                                                                    {"exit_on_error", "on"},
                                                                    {"transform_null_equals", "on"},
                                                                    {"quote_all_identifiers", "on"},
                                                                    {"standard_conforming_strings", "off"},
                                                                    {"default_transaction_isolation", "serializable"},
                                                                    {"row_security", "on"}};
    for (const auto& [name, value] : settings)
        shared_postgres().sql(database, "ALTER DATABASE \"" + database + "\" SET " + name + " = '" + value + "'");
    sql::Connection connection(shared_postgres().connect(database));
    for (const auto& setting : settings) {
        CAPTURE(setting.first);
        CHECK(connection.query("SELECT pg_catalog.current_setting($1)", {setting.first}, {1, 1, 1}).text(0, 0) !=
              setting.second);
    }
    CHECK(connection.exec("SELECT '{NULL}'::int[] IS NOT NULL").boolean(0, 0));
}
