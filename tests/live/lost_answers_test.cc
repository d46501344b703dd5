// A server that stops answering while TCP stays up at both ends: something in between takes what it says and drops it.
// And one that takes long: then the log and `pgsluice status` say what for.
#include <doctest/doctest.h>

#include <future>
#include <stop_token>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/pipeline.h"
#include "tests/support/tcp_proxy.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A group whose processes reach source and target through proxies.
struct Group {
    Group() {
        pipeline.go_through({.replicator_to_source = to_source.port(), .worker_to_target = to_target.port()});
        pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY, pad text)");
    }
    void insert(int from, int to) {
        pipeline.on_source("INSERT INTO rows SELECT i, repeat('x', 1000) FROM generate_series(" + std::to_string(from) +
                           ", " + std::to_string(to) + ") AS i");
    }
    void compare() {
        pipeline.check_equal({"rows"});
        pipeline.stop();
    }

    TcpProxy to_source{shared_postgres().port()};
    TcpProxy to_target{shared_postgres().port()};
    Pipeline pipeline;
};

sql::ConnectOptions through(const TcpProxy& proxy, const std::string& database) {
    sql::ConnectOptions options = shared_postgres().connect(database);
    options.port = std::to_string(proxy.port());
    return options;
}

}  // namespace

TEST_CASE("a statement whose answer is lost is given up, and its server process is ended") {
    const std::string database = shared_postgres().create_database();
    TcpProxy proxy(shared_postgres().port());
    sql::Connection connection(through(proxy, database));
    connection.exec("BEGIN; SELECT pg_catalog.pg_advisory_lock(7)");
    proxy.lose_answers();
    std::string text = "none";
    try {
        connection.exec("SELECT 1");
    } catch (const SqlError& error) {
        CHECK(error.action() == Action::retry);
        CHECK(error.sqlstate().empty());
        text = error.what();
    }
    CHECK(text.find("has not answered for") != std::string::npos);
    CHECK(text.find("waits for us") != std::string::npos);
    CHECK(eventually("its lock is free", [&] {
        return shared_postgres().scalar(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0";
    }));
}

TEST_CASE("a statement that never arrives is given up") {
    const std::string database = shared_postgres().create_database();
    TcpProxy proxy(shared_postgres().port());
    sql::Connection connection(through(proxy, database));
    proxy.abandon();
    CHECK_THROWS_AS(connection.exec("SELECT 1"), SqlError);
}

TEST_CASE("a statement that is at work for long is waited for") {
    const std::string database = shared_postgres().create_database();
    sql::ConnectOptions options = shared_postgres().connect(database);
    std::vector<sql::LongWaitReport> reports;
    options.on_long_wait = [&](const sql::LongWaitReport& report) { reports.push_back(report); };
    sql::Connection connection(options);
    connection.exec("SELECT pg_catalog.pg_sleep(20)", "sleep");
    REQUIRE(reports.size() >= 2);
    CHECK(reports.front().text.find("(sleep) server process") == 0);
    CHECK(reports.front().text.find("is at work") != std::string::npos);
    CHECK(reports.back().text.empty());
}

TEST_CASE("a stop is obeyed in time where nothing answers any more") {
    const std::string database = shared_postgres().create_database();
    TcpProxy proxy(shared_postgres().port());
    std::stop_source stop;
    sql::Connection connection(through(proxy, database), stop.get_token());
    auto asked = std::async(std::launch::async, [&] { connection.exec("SELECT pg_catalog.pg_sleep(600)"); });
    REQUIRE(eventually("it sleeps", [&] {
        return shared_postgres().scalar(
                   database,
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = "
                   "'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()") == "1";
    }));
    proxy.hold(true, true);
    stop.request_stop();
    CHECK(eventually(
        "it ends", [&] { return asked.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
        std::chrono::seconds(5)));
    CHECK_THROWS_AS(asked.get(), Interrupted);
    proxy.hold(false, false);
}

TEST_CASE("a target whose answers are lost: the worker starts another session and applies the rest once") {
    Group group;
    group.pipeline.start();
    group.pipeline.settle();
    group.to_target.lose_answers();
    group.insert(1, 5000);
    CHECK(says(group.pipeline.worker(), "the target has not answered for"));
    CHECK(says(group.pipeline.worker(), "trying again"));
    group.compare();
}

TEST_CASE("a target whose answers are lost while it loads a snapshot") {
    Group group;
    group.insert(1, 50000);
    group.pipeline.start();
    REQUIRE(eventually("it loads", [&] { return group.to_target.carried() > 4'000'000; }));
    group.to_target.lose_answers();
    CHECK(says(group.pipeline.worker(), "trying again"));
    group.compare();
}

TEST_CASE("a source whose answers are lost while it sends its log") {
    Group group;
    group.pipeline.start();
    group.pipeline.settle();
    group.to_source.lose_answers();
    group.insert(1, 5000);
    CHECK(says(group.pipeline.replicator(), "the source has not answered for"));
    group.compare();
}

TEST_CASE("a source whose answers are lost while it sends a snapshot") {
    Group group;
    group.insert(1, 50000);
    group.pipeline.start();
    REQUIRE(eventually("it copies", [&] { return group.to_source.carried() > 4'000'000; }));
    group.to_source.lose_answers();
    CHECK(says(group.pipeline.replicator(), "trying again"));
    group.compare();
}

TEST_CASE("what the target is waited for is in the log and in status, and so is the end of it") {
    Group group;
    group.pipeline.start();
    group.pipeline.settle();
    sql::Connection other(shared_postgres().connect(group.pipeline.target_db()));
    other.exec("BEGIN; LOCK TABLE public.rows");
    group.insert(1, 10);
    const std::string whom = "waits for pid " + std::to_string(other.backend_pid());
    CHECK(says(group.pipeline.worker(), "still waiting for the target at"));
    CHECK(says(group.pipeline.worker(), whom));
    const auto status = [&] {
        return run({PGSLUICE_BINARY, "status", "--group", group.pipeline.group(), "--nats-url", shared_nats().url()})
            .out;
    };
    CHECK(eventually("status says so",
                     [&] { return status().find("; waiting for the target at") != std::string::npos; }));
    CHECK(group.pipeline.worker().err().find("trying again") == std::string::npos);
    other.exec("COMMIT");
    CHECK(says(group.pipeline.worker(), "no longer waiting for the target at"));
    CHECK(eventually("status says no more",
                     [&] { return status().find("waiting for the target") == std::string::npos; }));
    group.compare();
}

TEST_CASE("what the source is waited for is in the log and in status, and so is the end of it") {
    Group group;
    sql::Connection other(shared_postgres().connect(group.pipeline.source_db()));
    other.exec("BEGIN; INSERT INTO public.rows VALUES (1)");
    group.pipeline.start();
    CHECK(says(group.pipeline.replicator(), "still waiting for the source at"));
    other.exec("COMMIT");
    CHECK(says(group.pipeline.replicator(), "no longer waiting for the source at"));
    group.compare();
}

TEST_CASE("an idle worker and an idle replicator notice at once that their sessions have been ended") {
    Group group;
    group.pipeline.start();
    group.pipeline.settle();
    group.pipeline.on_target(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'pgsluice%'");
    CHECK(says(group.pipeline.worker(), "trying again"));
    group.pipeline.on_source(
        "SELECT pg_terminate_backend(pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = "
        "'advisory' AND datname = current_database()");
    CHECK(says(group.pipeline.replicator(), "trying again"));
    group.insert(1, 10);
    group.compare();
}
