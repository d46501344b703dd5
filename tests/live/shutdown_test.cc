// SIGTERM and SIGINT: drained, exit 0, soon; and exact afterwards.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr auto soon = std::chrono::seconds(10);  // of which a worker may drain for five

struct Numbers : Pipeline {
    Numbers() { on_both("CREATE TABLE numbers (n bigint PRIMARY KEY, pad text)"); }
    void insert(int from, int to) {
        on_source("INSERT INTO numbers SELECT i, repeat('x', 100) FROM generate_series(" + std::to_string(from) + ", " +
                  std::to_string(to) + ") AS i");
    }
};

}  // namespace

TEST_CASE("SIGTERM while idle") {
    Numbers numbers;
    numbers.insert(1, 10);
    numbers.start();
    numbers.settle();
    numbers.replicator().signal(SIGINT);
    CHECK(numbers.replicator().wait(soon) == 0);
    numbers.worker().signal(SIGTERM);
    CHECK(numbers.worker().wait(soon) == 0);
}

TEST_CASE("SIGTERM in the middle of a large transaction of either side") {
    Numbers numbers;
    numbers.start();
    numbers.settle();
    numbers.insert(1, 200000);
    numbers.stop_replicator(soon);
    numbers.start_replicator();
    numbers.stop_worker(soon);
    numbers.start_worker();
    numbers.check_equal({"numbers"});
    numbers.stop();
}

TEST_CASE("SIGTERM in the middle of the copy") {
    Numbers numbers;
    numbers.insert(1, 300000);
    numbers.start();
    CHECK(eventually("the slot is there", [&] {
        return numbers.source_scalar("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgsluice_" +
                                     numbers.group() + "'") == "1";
    }));
    numbers.stop();
    numbers.start();
    numbers.check_equal({"numbers"});
    numbers.stop();
}

TEST_CASE("SIGTERM while the slot's creation waits for another session's transaction") {
    Numbers numbers;
    auto writer = shared_postgres().connect(numbers.source_db());
    pgsluice::sql::Connection open(writer);
    open.exec("RESET search_path; BEGIN; INSERT INTO numbers VALUES (1, 'open')");
    numbers.start_replicator();
    CHECK(eventually("the replicator waits for the transaction", [&] {
        return numbers.source_scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "backend_type = 'walsender'") == "1";
    }));
    CHECK(eventually("the log names it", [&] {
        return numbers.replicator().err().find(std::to_string(open.backend_pid())) != std::string::npos;
    }));
    numbers.stop_replicator(soon);
    open.exec("COMMIT");
    numbers.start();
    numbers.check_equal({"numbers"});
    numbers.stop();
}

TEST_CASE("SIGTERM while a worker waits for its group") {
    Numbers numbers;
    numbers.start_worker();
    CHECK(eventually("the worker waits", [&] { return !numbers.worker().err().empty(); }));
    numbers.stop_worker(soon);
}
