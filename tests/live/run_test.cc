// `pgsluice run`: several groups in one process. One that fails leaves the others alone; a stop drains all.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <memory>

#include "sql/connection.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr std::chrono::seconds in_time{60};

// Databases of two groups, and the process that runs both.
struct Two {
    Two() : directory(temporary_directory("run")), path(directory + "/run.yaml") {
        for (Pipeline* one : {&first, &second}) {
            one->on_both("CREATE TABLE items (id int PRIMARY KEY, note text)");
            one->on_source("INSERT INTO items SELECT i, 'copied' FROM generate_series(1, 500) i");
        }
        write();
    }
    static std::string group(const Pipeline& one, const std::string& more_of_worker) {
        return "  " + one.group() + ":\n    source-url: " + one.source_url() +
               "\n    replicator: {copy-and-stream: true}\n" +
               "    workers:\n      - sink: postgres\n        target-url: " + one.target_url() + "\n" + more_of_worker;
    }
    void write(const std::string& top = "", const std::string& of_first = "", const std::string& of_second = "") const {
        std::ofstream(path) << "nats-url: " << shared_nats().url() << "\nlog-level: info\ndrain-timeout: 20s\n"
                            << top << "groups:\n"
                            << group(first, of_first) << group(second, of_second);
    }
    void start(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {PGSLUICE_BINARY, "run", "--config", path});
        process.emplace(ProcessOptions{.argv = std::move(more)});
    }
    static bool has(Pipeline& one, const std::string& count) {
        return eventually(
            "the target has " + count + " rows",
            [&] { return one.target_scalar("SELECT count(*) FROM items") == count; }, in_time);
    }
    void stop() {
        process->signal(SIGTERM);
        const int code = process->wait(in_time);
        INFO(process->err());
        CHECK(code == 0);
    }

    Pipeline first;
    Pipeline second;
    std::string directory;
    std::string path;
    std::optional<Process> process;
};

}  // namespace

TEST_CASE("run: two groups copy and follow, and a stop drains what was committed before it") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    REQUIRE(Two::has(two.second, "500"));
    CHECK(says(*two.process, "[" + two.first.group() + " worker postgres] snapshot complete"));
    for (Pipeline* one : {&two.first, &two.second})
        one->on_source("INSERT INTO items SELECT i, 'later' FROM generate_series(501, 800) i");
    CHECK(Two::has(two.first, "800"));
    CHECK(Two::has(two.second, "800"));
    two.stop();
    CHECK(contains(two.process->err(), "SIGTERM: shutting down"));
    CHECK(eventually("the source's server has noticed that its sessions ended", [&] {
        return two.first.source_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice %" +
                                       two.first.group() + "%'") == "0";
    }));
}

TEST_CASE("run: a stop lets a worker apply what the stream holds, though its target kept it waiting") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    pgsluice::sql::Connection blocker(shared_postgres().connect(two.first.target_db()));
    blocker.exec("BEGIN; LOCK TABLE public.items");
    two.first.on_source("INSERT INTO items SELECT i, 'late' FROM generate_series(501, 600) i");
    const std::string lsn = two.first.source_scalar("SELECT pg_current_wal_insert_lsn()");
    REQUIRE(eventually("it is in the stream", [&] {
        return two.first.source_scalar("SELECT confirmed_flush_lsn >= '" + lsn +
                                       "' FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + two.first.group() +
                                       "'") == "t";
    }));
    two.process->signal(SIGTERM);
    REQUIRE(says(*two.process, "SIGTERM: shutting down"));
    blocker.exec("COMMIT");
    const int code = two.process->wait(in_time);
    INFO(two.process->err());
    CHECK(code == 0);
    CHECK(two.first.target_scalar("SELECT count(*) FROM items") == "600");
}

TEST_CASE("run: a second signal ends the process at once") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    pgsluice::sql::Connection blocker(shared_postgres().connect(two.first.target_db()));
    blocker.exec("BEGIN; LOCK TABLE public.items");
    two.first.on_source("INSERT INTO items VALUES (501, 'late')");
    REQUIRE(eventually("the worker waits for the lock", [&] {
        return two.first.target_scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "datname = current_database()") == "1";
    }));
    two.process->signal(SIGTERM);
    REQUIRE(says(*two.process, "SIGTERM: shutting down"));
    two.process->signal(SIGTERM);
    CHECK(two.process->wait(in_time) == 128 + SIGTERM);
}

TEST_CASE("run: kill -9 and a restart lose nothing") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    two.first.on_source("INSERT INTO items SELECT i, 'before' FROM generate_series(501, 3000) i");
    two.process.reset();
    two.second.on_source("INSERT INTO items SELECT i, 'while away' FROM generate_series(501, 1000) i");
    two.start();
    CHECK(Two::has(two.first, "3000"));
    CHECK(Two::has(two.second, "1000"));
    two.stop();
}

TEST_CASE("run: one that fails stays stopped, says why, and leaves the others alone") {
    Two two;
    std::ofstream(two.directory + "/rules.yaml") << "tables: {items: [{type: transform, column: note}]}\n";
    const int port = free_port();
    const std::string base = "http://127.0.0.1:" + std::to_string(port);
    two.write("http-listen: 127.0.0.1:" + std::to_string(port) + "\n",
              "        rules-config: " + two.directory + "/rules.yaml\n");
    two.start();
    CHECK(Two::has(two.second, "500"));
    CHECK(
        says(*two.process, "[" + two.first.group() + " worker postgres] stays stopped until the process is restarted"));
    CHECK(contains(two.process->err(), two.directory + "/rules.yaml:1"));
    two.second.on_source("INSERT INTO items VALUES (501, 'later')");
    CHECK(Two::has(two.second, "501"));
    CHECK(eventually("only the one is not ready", [&] {
        const auto answer = http_get(base, "/readyz");
        return answer.status == 503 && contains(answer.body, two.first.group() + " worker postgres: stopped: ") &&
               !contains(answer.body, two.second.group());
    }));
    const std::string metrics = http_get(base, "/metrics").body;
    CHECK(contains(metrics, "pgsluice_running{group=\"" + two.second.group() + "\",worker=\"postgres\"} 1"));
    CHECK(contains(metrics, "pgsluice_running{group=\"" + two.first.group() + "\"} 1"));
    CHECK(count(metrics, "# TYPE pgsluice_running ") == 1);
    CHECK(count(http_get(base, "/status").body, "\n") == 2);
    const auto second = http_get(base, "/status?group=" + two.second.group());
    CHECK(second.body.rfind("{\"group\":\"" + two.second.group() + '"', 0) == 0);
    CHECK(count(second.body, "\n") == 1);
    CHECK(http_get(base, "/status?group=none").status == 404);
    two.process->signal(SIGTERM);
    CHECK(two.process->wait(in_time) == 2);
    CHECK(contains(two.process->err(), "stopped by an error: " + two.first.group() + " worker postgres"));
}

TEST_CASE("run: a part whose server does not answer at its start is started again until it does") {
    TcpProxy source(shared_postgres().port());
    TcpProxy target(shared_postgres().port());
    Two two;
    two.first.go_through({.replicator_to_source = source.port(), .worker_to_target = target.port()});
    two.write("retry-max-attempts: 0\n");
    source.refuse(true);
    target.refuse(true);
    two.start();
    const std::string group = two.first.group();
    for (const std::string& part : {"[" + group + " replicator] ", "[" + group + " worker postgres] "})
        CHECK(says(*two.process, part + "unable to connect"));
    CHECK(says(*two.process, "; starting again in 10 s"));
    CHECK(Two::has(two.second, "500"));
    source.refuse(false);
    target.refuse(false);
    CHECK(Two::has(two.first, "500"));
    CHECK(says(*two.process, "[" + group + " worker postgres] running, "));
    CHECK_FALSE(contains(two.process->err(), "stays stopped"));
    two.stop();
}

TEST_CASE("run: a slot that is lost stops its replicator alone") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    REQUIRE(Two::has(two.second, "500"));
    two.first.on_source(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'pgsluice_" +
        two.first.group() + "'");
    REQUIRE(eventually("the slot is dropped", [&] {
        try {
            two.first.on_source("SELECT pg_drop_replication_slot('pgsluice_" + two.first.group() + "')");
            return true;
        } catch (const std::exception&) {
            two.first.on_source(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = "
                "'pgsluice_" +
                two.first.group() + "'");
            return false;
        }
    }));
    CHECK(says(*two.process, "[" + two.first.group() + " replicator] stays stopped until the process is restarted"));
    two.second.on_source("INSERT INTO items VALUES (501, 'later')");
    CHECK(Two::has(two.second, "501"));
    two.process->signal(SIGTERM);
    CHECK(two.process->wait(in_time) == 1);
}

TEST_CASE("run: a slot that was lost before its start is in the metrics") {
    PostgresServer server({.settings = {{"max_slot_wal_keep_size", "32MB"}}});
    Pipeline one({server, shared_postgres(), shared_nats()});
    one.start();
    one.settle();
    one.stop();
    for (int i = 0; i < 4; ++i)
        one.on_source("INSERT INTO settled VALUES (-1 - " + std::to_string(i) + "); SELECT pg_switch_wal()");
    one.on_source("CHECKPOINT");
    const std::string path = temporary_directory("run") + "/run.yaml";
    std::ofstream(path) << "nats-url: " << shared_nats().url() << "\nlog-level: info\ngroups:\n" << Two::group(one, "");
    const int port = free_port();
    Process process(
        {.argv = {PGSLUICE_BINARY, "run", "--config", path, "--http-listen", "127.0.0.1:" + std::to_string(port)}});
    CHECK(says(process, "[" + one.group() + " replicator] stays stopped until the process is restarted"));
    CHECK(eventually("it says so", [&] {
        return contains(http_get("http://127.0.0.1:" + std::to_string(port), "/metrics").body,
                        "pgsluice_slot_lost{group=\"" + one.group() + "\"} 1");
    }));
    process.signal(SIGTERM);
    CHECK(process.wait(in_time) == 1);
}

TEST_CASE("run: SIGHUP reaches each part") {
    Two two;
    two.start();
    REQUIRE(Two::has(two.first, "500"));
    REQUIRE(Two::has(two.second, "500"));
    two.write("", "        log-level: debug\n");
    two.process->signal(SIGHUP);
    CHECK(says(*two.process, "[" + two.first.group() + " worker postgres] SIGHUP: log level debug"));
    CHECK(says(*two.process, "[" + two.second.group() + " worker postgres] SIGHUP: log level info"));
    std::ofstream(two.path) << "groups: {shop: {}}\n";
    two.process->signal(SIGHUP);
    CHECK(says(*two.process, two.path + ":1: group 'shop' runs nothing"));
    two.second.on_source("INSERT INTO items VALUES (501, 'later')");
    CHECK(Two::has(two.second, "501"));
    two.stop();
}
