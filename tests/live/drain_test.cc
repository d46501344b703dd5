// SIGTERM of a worker: what the stream held at the signal is applied, within --drain-timeout; and exact afterwards.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"

using namespace pgsluice::test;
namespace fs = std::filesystem;

namespace {

constexpr int many = 20000;
constexpr std::chrono::seconds in_time{30};
const std::vector<std::string> patient{"--drain-timeout", "1h"};

// A group whose stream holds changes that no worker has applied.
struct Backlog : Pipeline {
    Backlog() {
        on_both("CREATE TABLE numbers (n int PRIMARY KEY)");
        start_replicator();
        await_stream();
    }
    // One transaction each, until they are in the stream.
    void insert(int from, int to) {
        on_source("DO $$ BEGIN FOR i IN " + std::to_string(from) + ".." + std::to_string(to) +
                  " LOOP INSERT INTO numbers VALUES (i); COMMIT; END LOOP; END $$");
        const std::string lsn = source_scalar("SELECT pg_current_wal_insert_lsn()");
        REQUIRE(eventually("they are in the stream", [&] {
            return source_scalar("SELECT confirmed_flush_lsn >= '" + lsn +
                                 "' FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + group() + "'") == "t";
        }));
    }
    Process worker_of(const std::string& sink, std::vector<std::string> more) const {
        more.insert(more.end(), patient.begin(), patient.end());
        return Process({.argv = worker_argv(sink, more)});
    }
    std::string target_count() { return target_scalar("SELECT count(*) FROM numbers"); }
};

// As soon as it reads; everything must be out all the same.
void stop_early(Process& worker) {
    REQUIRE(says(worker, "reads stream"));
    worker.signal(SIGTERM);
    const int code = worker.wait(in_time);
    INFO(worker.err());
    CHECK(code == 0);
    CHECK(worker.err().find("all that the stream held is applied") != std::string::npos);
}

std::string finished_lines(const std::string& directory) {
    std::string text;
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (entry.path().extension() != ".jsonl") continue;
        std::ifstream file(entry.path());
        text.append(std::istreambuf_iterator<char>(file), {});
    }
    return text;
}

bool has_part(const std::string& directory) {
    return std::ranges::any_of(fs::directory_iterator(directory),
                               [](const auto& entry) { return entry.path().extension() == ".part"; });
}

// A worker that waits for a lock on its target.
struct Locked : Backlog {
    Locked() : blocker(shared_postgres().connect(target_db())) {}
    void start_blocked(std::vector<std::string> more) {
        blocker.exec("BEGIN; LOCK TABLE public.numbers");
        insert(1, 12);
        start_worker(std::move(more));
        REQUIRE(eventually("the worker waits for the lock", [&] {
            return target_scalar(
                       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                       "current_database()") == "1";
        }));
    }
    pgsluice::sql::Connection blocker;
};

}  // namespace

TEST_CASE("drain: what a worker was waiting for at the signal is applied when it comes in time") {
    Locked group;
    group.start_blocked(patient);
    group.worker().signal(SIGTERM);
    REQUIRE(says(group.worker(), "shutting down"));
    group.blocker.exec("COMMIT");
    CHECK(group.worker().wait(in_time) == 0);
    CHECK(group.target_count() == "12");
    group.stop_replicator();
}

TEST_CASE("drain: a target that does not answer is waited for no longer than --drain-timeout; nothing is lost") {
    for (const char* timeout : {"0", "300ms"}) {
        CAPTURE(timeout);
        Locked group;
        group.start_blocked({"--drain-timeout", timeout});
        group.worker().signal(SIGTERM);
        CHECK(group.worker().wait(in_time) == 0);
        group.blocker.exec("COMMIT");
        CHECK(group.target_count() == "0");
        group.start_worker();
        group.check_equal({"numbers"});
        group.stop();
    }
}

TEST_CASE("drain: a second signal ends the worker at once") {
    Locked group;
    group.start_blocked(patient);
    group.worker().signal(SIGTERM);
    REQUIRE(says(group.worker(), "shutting down"));
    group.worker().signal(SIGTERM);
    CHECK(group.worker().wait(in_time) == 128 + SIGTERM);
    group.blocker.exec("COMMIT");
    group.start_worker();
    group.check_equal({"numbers"});
    group.stop();
}

TEST_CASE("drain: changes that are published after the signal are the next worker's") {
    Locked group;
    group.start_blocked(patient);
    group.worker().signal(SIGTERM);
    REQUIRE(says(group.worker(), "shutting down"));
    // The worker has asked for the end of the stream by the time that its first transaction is through.
    group.blocker.exec("COMMIT");
    int n = 12;
    while (group.worker().running()) group.insert(n + 1, n + 1), ++n;  // would not end without a goal
    CHECK(group.worker().wait(in_time) == 0);
    group.start_worker();
    group.check_equal({"numbers"});
    group.stop();
}

TEST_CASE("drain: stdout") {
    Backlog group;
    group.insert(1, many);
    Process worker = group.worker_of("stdout", {});
    stop_early(worker);
    CHECK(count(worker.out(), R"("NewTuple":{"n":)") == many);
    group.stop_replicator();
}

TEST_CASE("drain: files, which are finished when the worker has ended; the next one begins another") {
    Backlog group;
    const std::string directory = temporary_directory("drained");
    group.insert(1, many);
    Process worker = group.worker_of("file", {"--file-output-dir", directory});
    stop_early(worker);
    CHECK_FALSE(has_part(directory));
    const std::string first = finished_lines(directory);
    CHECK(count(first, R"("NewTuple":{"n":)") == many);
    group.insert(many + 1, many + 10);
    Process next = group.worker_of("file", {"--file-output-dir", directory});
    stop_early(next);
    CHECK_FALSE(has_part(directory));
    CHECK(count(finished_lines(directory), R"("NewTuple":{"n":)") == many + 10);
    group.stop_replicator();
}

TEST_CASE("drain: a webhook") {
    Backlog group;
    HttpReceiver receiver([](const HttpRequest&) { return HttpReply{}; });
    constexpr int few = 2000;
    group.insert(1, few);
    Process worker = group.worker_of("webhook", {"--webhook-url", receiver.url()});
    stop_early(worker);
    std::set<std::string> keys;
    for (const HttpRequest& request : receiver.requests()) keys.insert(request.headers.at("idempotency-key"));
    CHECK(keys.size() == few);
    CHECK(receiver.requests().size() == few);
    group.stop_replicator();
}

TEST_CASE("drain: subjects of NATS") {
    Backlog group;
    const UserStream output(shared_nats().url(), "drained_" + group.group(), group.group() + ".>");
    group.insert(1, many);
    Process worker = group.worker_of("nats", {"--nats-subject", group.group() + ".{table}"});
    stop_early(worker);
    CHECK(output.read().size() == many);
    group.stop_replicator();
}

TEST_CASE("drain: a snapshot that is being loaded") {
    Pipeline group;
    group.on_both("CREATE TABLE numbers (n int PRIMARY KEY)");
    group.on_source("INSERT INTO numbers SELECT generate_series(1, 300000)");
    group.start_replicator({"--copy"});
    CHECK(group.replicator().wait(std::chrono::seconds(60)) == 0);
    group.start_worker(patient);
    REQUIRE(says(group.worker(), "reads stream"));
    group.worker().signal(SIGTERM);
    CHECK(group.worker().wait(std::chrono::seconds(60)) == 0);
    CHECK(group.target_scalar("SELECT count(*) FROM numbers") == "300000");
}
