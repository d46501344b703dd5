// sql::Connection against a real server: results, COPY, errors and being stopped.
#include "sql/connection.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::sql;
using namespace pgsluice::test;

namespace {

ConnectOptions to_database() {
    static const std::string database = shared_postgres().create_database();
    ConnectOptions options = shared_postgres().connect(database);
    options.role = "source";
    return options;
}

SqlError error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const SqlError& error) {
        return error;
    }
    FAIL("no error");
    return {Action::stop, "", ""};
}

std::size_t rows_of(CopyOut& copy) {
    std::size_t rows = 0;
    while (copy.next()) ++rows;
    return rows;
}

}  // namespace

TEST_CASE("the server notices within a minute, not two hours, that a client is cut off") {
    Connection connection(to_database());
    const auto setting = [&](const std::string& name) { return connection.exec("SHOW " + name).text(0, 0); };
    CHECK(setting("tcp_keepalives_idle") == "30");
    CHECK(setting("tcp_keepalives_interval") == "10");
    CHECK(setting("tcp_keepalives_count") == "3");
}

TEST_CASE("values are text, NULL is nothing, and a result has the shape asked for") {
    Connection connection(to_database());
    const auto result = connection.query("SELECT $1::text, $2::text, 7, true", {Param(""), Param()}, {4, 1, 1});
    CHECK(result.get(0, 0) == "");
    CHECK_FALSE(result.get(0, 1));
    CHECK(result.integer(0, 2) == 7);
    CHECK(result.boolean(0, 3));
    CHECK_THROWS_AS((void)result.text(0, 1), std::logic_error);
    CHECK_THROWS_AS(connection.query("SELECT 1", {}, {2}), std::logic_error);
    CHECK_THROWS_AS(connection.query("SELECT 1 WHERE false", {}, {1, 1, 1}), std::logic_error);
    CHECK(connection.query("SELECT 1", {}, {1, 1, 1}).rows() == 1);
}

TEST_CASE("a session prints values the same way, and names are PostgreSQL's own, whatever the user's settings are") {
    auto options = to_database();
    options.url = "options='-c search_path=public -c datestyle=german -c intervalstyle=sql_standard -c geqo=off'";
    for (const bool replication : {false, true}) {
        auto ours = options;
        if (replication) ours.settings.emplace_back("replication", "database");
        Connection connection(ours);
        CHECK(connection.exec("SELECT '2026-01-31'::date").text(0, 0) == "2026-01-31");
        CHECK(connection.exec("SELECT interval '1 day 2 hours'").text(0, 0) == "1 day 02:00:00");
        CHECK(connection.exec("SELECT '2026-01-31 12:00+03'::timestamptz").text(0, 0) == "2026-01-31 09:00:00+00");
        CHECK(connection.exec("SELECT current_setting('geqo')").text(0, 0) == "off");
        CHECK(connection.exec("SELECT current_setting('application_name')").text(0, 0) == "pgsluice");
        CHECK(connection.exec("SELECT current_setting('search_path')").text(0, 0) == "\"\"");
    }
}

TEST_CASE("an error says what was being done, its SQLSTATE, and no value") {
    Connection connection(to_database());
    const auto syntax = error_of([&] { connection.exec("SELECT 1; SELEKT 2; SELECT 3"); });
    CHECK(syntax.sqlstate() == "42601");
    CHECK(syntax.action() == Action::stop);
    CHECK(std::string(syntax.what()).find("unable to run a statement on the source: syntax error") == 0);
    const auto value = error_of([&] { connection.exec("SELECT 'secret'::int", "cast"); });
    CHECK(std::string(value.what()) == "unable to cast: invalid input syntax for type integer: \"...\"");
    CHECK(connection.exec("SELECT 1").integer(0, 0) == 1);
}

TEST_CASE("COPY in both directions, also abandoned") {
    Connection connection(to_database());
    connection.exec("CREATE TEMP TABLE t (a int, b text)");
    const std::string row = "1\t" + std::string(1000000, 'x') + "\n";
    {
        auto in = connection.copy_in("COPY t FROM STDIN");
        for (int i = 0; i < 5; ++i) in.write(row);
        CHECK(in.end() == 5);
    }
    {
        auto abandoned = connection.copy_in("COPY t FROM STDIN");
        abandoned.write("2\ty\n");
    }
    const auto refused = error_of([&] {
        auto in = connection.copy_in("COPY t FROM STDIN", "load 't'");
        in.write("secret\n");
        in.end();
    });
    CHECK(std::string(refused.what()).find("unable to load 't': ") == 0);
    CHECK(std::string(refused.what()).find("secret") == std::string::npos);
    {
        auto abandoned = connection.copy_out("COPY (SELECT generate_series(1, 10000000)) TO STDOUT");
        CHECK(abandoned.next() == "1\n");
    }
    auto out = connection.copy_out("COPY t TO STDOUT");
    CHECK(out.next() == row);
    CHECK(rows_of(out) == 4);
    const auto failing = error_of([&] {
        auto rows = connection.copy_out("COPY (SELECT 1 / (3 - x) FROM generate_series(1, 9) x) TO STDOUT", "copy 'x'");
        rows_of(rows);
    });
    CHECK(std::string(failing.what()) == "unable to copy 'x': division by zero");
    CHECK(connection.exec("SELECT count(*) FROM t").integer(0, 0) == 5);
}

TEST_CASE("who cannot connect is told why, in one line, and whether waiting helps") {
    struct Refusal {
        std::function<void(ConnectOptions&)> change;
        std::string sqlstate;
        Action action;
    };
    PostgresServer locked({.password = true});
    const Refusal refusals[] = {
        {[](ConnectOptions& o) { o.password = "wrong"; }, "28P01", Action::stop},
        {[](ConnectOptions& o) { o.dbname = "nowhere"; }, "3D000", Action::stop},
        {[](ConnectOptions& o) { o.port = std::to_string(free_port()); }, "", Action::retry},
        {[](ConnectOptions& o) { o.host = "no-such-host.invalid"; }, "", Action::retry},
        {[](ConnectOptions& o) { o.url = "sslmode=require"; }, "", Action::stop},
        {[](ConnectOptions& o) { o.url = "sslmode=quark"; }, "", Action::stop},
    };
    for (const auto& refusal : refusals) {
        auto options = locked.connect("postgres");
        refusal.change(options);
        const auto error = error_of([&] { Connection connection(options); });
        CAPTURE(std::string(error.what()));
        CHECK(error.sqlstate() == refusal.sqlstate);
        CHECK(error.action() == refusal.action);
        CHECK_FALSE(error.hint().empty());
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
        CHECK(std::string(error.what()).find("unable to connect to the ") == 0);
    }
}

TEST_CASE("a lost connection may be tried again") {
    Connection connection(to_database());
    Connection other(to_database());
    const std::string pid = std::to_string(connection.backend_pid());
    other.query("SELECT pg_terminate_backend($1::int, 5000)", {Param(pid)}, {1, 1, 1});
    CHECK(error_of([&] { connection.exec("SELECT 1"); }).action() == Action::retry);
}

TEST_CASE("a stop cancels what runs in the server") {
    std::stop_source stop;
    Connection connection(to_database(), stop.get_token());
    Connection observer(to_database());
    const std::string query =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600%' AND state = 'active'";
    std::jthread stopper([&] {
        eventually("the statement runs", [&] { return observer.exec(query).integer(0, 0) == 1; });
        stop.request_stop();
    });
    CHECK_THROWS_AS(connection.exec("SELECT pg_sleep(600)"), Interrupted);
    stopper.join();
    CHECK(eventually("the statement is gone", [&] { return observer.exec(query).integer(0, 0) == 0; }));
    CHECK_THROWS_AS(Connection(to_database(), stop.get_token()), Interrupted);
}

TEST_CASE("ticks come while a statement runs") {
    Connection connection(to_database());
    int ticks = 0;
    connection.on_tick([&] { ++ticks; });
    CHECK(eventually("a tick", [&] {
        connection.exec("SELECT pg_sleep(0.3)");
        return ticks > 0;
    }));
}
