// How much memory replicator and worker take at most: a worker that stayed away while 1 GB came, one transaction of 5 M
// rows, one of 10,000 savepoints, one that is rolled back. Not a part of ctest, for it takes minutes; tests/crash/run
// --memory.
//
// PGSLUICE_MEMORY_BACKLOG_MB and PGSLUICE_MEMORY_ROWS make it smaller.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/crash/seed.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr long replicator_limit_mib = 64;
constexpr long worker_limit_mib = 192;

// A field of /proc/<pid>/status, in MiB: VmHWM, the most ever resident; VmRSS, what is resident now.
long memory_mib(const Process& process, const std::string& field) {
    std::ifstream status("/proc/" + std::to_string(process.pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(field + ":")) return std::atol(line.c_str() + field.size() + 1) / 1024;
    }
    return -1;
}

unsigned many_rows() { return number_from("PGSLUICE_MEMORY_ROWS", 5000000); }

struct Measured : Pipeline {
    explicit Measured(PipelineServers servers) : Pipeline(servers), nats(servers.nats) {
        on_both(
            "CREATE TABLE t (id bigint PRIMARY KEY, n bigint, name varchar(80), doc jsonb, amount numeric, at "
            "timestamp, pad text)");
        start();
        settle();
    }

    // The row of the benchmarks, 114 bytes as text, and `pad` more.
    static std::string insert(const std::string& from, const std::string& to, int pad) {
        return "INSERT INTO t SELECT i, i * 7, 'customer number ' || i, jsonb_build_object('a', i, 'b', 'text ' || i), "
               "i / 100.0, '2024-01-01'::timestamp + i * interval '1 second', repeat('p', " +
               std::to_string(pad) + ") FROM generate_series(" + from + ", " + to + ") AS i; ";
    }

    [[nodiscard]] StreamState stream() const {
        return *connect_broker(nats.url())->stream_state(names_for(group()).stream);
    }
    [[nodiscard]] std::uint64_t applied_seq() {
        return std::stoull(target_scalar("SELECT resume_seq FROM pgsluice.progress"));
    }

    // settle(), looking at the worker's memory all the while: the most resident in each quarter of the stream's part
    // that it reads.
    std::array<long, 4> settle_measured() {
        std::array<long, 4> most{};
        const auto first = applied_seq();
        const auto last = stream().last_seq.value;
        std::atomic<bool> over = false;
        std::thread watcher([&] {
            while (!over) {
                const auto at = std::clamp(applied_seq(), first, last) - first;
                auto& quarter = most[std::min<std::uint64_t>(3, 4 * at / (last - first + 1))];
                quarter = std::max(quarter, memory_mib(worker(), "VmRSS"));
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
            }
        });
        settle(std::chrono::seconds(1800));
        over = true;
        watcher.join();
        return most;
    }

    void check(const std::string& what, std::chrono::steady_clock::time_point begun) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun).count();
        const long of_replicator = memory_mib(replicator(), "VmHWM");
        const long of_worker = memory_mib(worker(), "VmHWM");
        std::cout << what << ": replicator at most " << of_replicator << " MiB, worker at most " << of_worker
                  << " MiB, " << seconds << " s" << std::endl;
        CHECK(of_replicator <= replicator_limit_mib);
        CHECK(of_worker <= worker_limit_mib);
        CHECK(source_sum("t") == target_sum("t"));
    }

    NatsServer& nats;
};

}  // namespace

TEST_CASE("a worker that stayed away catches up with flat memory") {
    const std::uint64_t wanted_mib = number_from("PGSLUICE_MEMORY_BACKLOG_MB", 1024);
    Measured pipeline(shared_servers());
    pipeline.stop_worker();
    for (long row = 0; pipeline.stream().bytes >> 20 < wanted_mib; row += 20000) {
        pipeline.on_source(
            "DO $$ BEGIN FOR k IN 0..19 LOOP " +
            Measured::insert(std::to_string(row) + " + k * 1000 + 1", std::to_string(row) + " + (k + 1) * 1000", 900) +
            "COMMIT; END LOOP; END $$");
    }
    const auto begun = std::chrono::steady_clock::now();
    pipeline.start_worker();
    const auto most = pipeline.settle_measured();
    std::cout << "resident in the four quarters of the backlog: " << most[0] << ", " << most[1] << ", " << most[2]
              << ", " << most[3] << " MiB" << std::endl;
    pipeline.check("backlog of " + std::to_string(wanted_mib) + " MiB", begun);
    pipeline.stop();
}

TEST_CASE("one large transaction") {
    const std::string rows = std::to_string(many_rows());
    Measured pipeline(shared_servers());
    const auto begun = std::chrono::steady_clock::now();
    pipeline.on_source(Measured::insert("1", rows, 0));
    pipeline.settle(std::chrono::seconds(1800));
    pipeline.check("transaction of " + rows + " rows", begun);
    pipeline.stop();
}

TEST_CASE("one transaction of 10,000 savepoints, half of them rolled back") {
    const std::string rows = std::to_string(many_rows() / 10000);
    Measured pipeline(shared_servers());
    const auto begun = std::chrono::steady_clock::now();
    pipeline.on_source("DO $$ BEGIN FOR k IN 0..9999 LOOP BEGIN " +
                       Measured::insert("k * " + rows + " + 1", "(k + 1) * " + rows, 0) +
                       "IF k % 2 = 0 THEN RAISE 'undone'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END; END "
                       "LOOP; END $$");
    pipeline.settle(std::chrono::seconds(1800));
    pipeline.check("transaction of 10000 savepoints of " + rows + " rows each, half of them rolled back", begun);
    pipeline.stop();
}

TEST_CASE("one large transaction that is rolled back") {
    const std::string rows = std::to_string(many_rows());
    Measured pipeline(shared_servers());
    const auto begun = std::chrono::steady_clock::now();
    pipeline.on_source("BEGIN; " + Measured::insert("1", rows, 0) + "ROLLBACK");
    pipeline.settle(std::chrono::seconds(1800));
    pipeline.check("transaction of " + rows + " rows, rolled back", begun);
    pipeline.stop();
}
