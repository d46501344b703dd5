// What applying costs, in the sink's process and in the target's backend, apart from everything else.
//
// PGSLUICE_BENCH_ROWS and PGSLUICE_BENCH_BATCH set how many changes, and how many of them in a batch.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "sinks/postgres/sink.h"
#include "tests/support/postgres_server.h"
#include "tests/support/sink_feed.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

double own_cpu_s() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// utime and stime, the 14th and 15th fields of /proc/PID/stat, in hundredths of a second.
double backend_cpu_s(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    std::string word;
    double ticks = 0;
    for (int field = 1; field <= 15 && file >> word; ++field) {
        if (field >= 14) ticks += std::stod(word);
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t number_from(const char* variable, std::size_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

struct Bench {
    PostgresServer server;
    std::string database = server.create_database();
    std::unique_ptr<Sink> sink;
    std::string pid;
    SinkFeed feed;

    Bench() {
        server.sql(
            database,
            "CREATE TABLE t (id bigserial PRIMARY KEY, n bigint, name varchar(100), doc jsonb, amount numeric, at "
            "timestamp); CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84)); "
            "CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84)); CREATE TABLE "
            "branches (bid int PRIMARY KEY, bbalance int, filler char(88)); CREATE TABLE history (tid int, bid int, "
            "aid int, delta int, mtime timestamp, filler char(22)); INSERT INTO accounts SELECT i, 1, 0, '' FROM "
            "generate_series(1, 100000) i; INSERT INTO tellers SELECT i, 1, 0 FROM generate_series(1, 10) i; INSERT "
            "INTO branches VALUES (1, 0); ANALYZE");
        PostgresSinkOptions options;
        options.target = server.connect(database);
        options.group = "bench";
        options.worker = "w";
        sink = make_postgres_sink(options, [](LogLevel, std::string_view) {}, {});
        sink->open();
        pid = server.scalar(database, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'");
    }

    // Batches are made beforehand, so that only applying is measured.
    void measure(const std::string& what, std::size_t changes, const std::vector<Batch*>& batches) {
        const double own = own_cpu_s();
        const double backend = backend_cpu_s(pid);
        const auto start = std::chrono::steady_clock::now();
        for (Batch* batch : batches) sink->apply(*batch);
        const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        fmt::print("{:<28} {:>9.0f} changes/s   us/change: sink {:.2f} backend {:.2f}\n", what,
                   static_cast<double>(changes) / wall, (own_cpu_s() - own) * 1e6 / static_cast<double>(changes),
                   (backend_cpu_s(pid) - backend) * 1e6 / static_cast<double>(changes));
        std::fflush(stdout);
        feed.forget();
    }
};

}  // namespace

TEST_CASE("what applying costs") {
    const std::size_t rows = number_from("PGSLUICE_BENCH_ROWS", 100000);
    const std::size_t batch_rows = number_from("PGSLUICE_BENCH_BATCH", 1000);
    Bench bench;
    const auto table = make_relation(
        "public", "t", {"id bigint*", "n bigint", "name varchar", "doc jsonb", "amount numeric", "at timestamp"});
    const auto run = [&](const std::string& what, const std::function<void(std::size_t)>& change) {
        std::vector<Batch*> batches;
        for (std::size_t i = 0; i < rows; ++i) {
            change(i);
            if ((i + 1) % batch_rows == 0 || i + 1 == rows)
                batches.push_back(i + 1 == rows ? &bench.feed.complete() : &bench.feed.piece());
        }
        bench.measure(what, rows, batches);
    };
    std::string id;
    const auto row = [&](std::size_t i, const char* n) -> Values {
        id = std::to_string(i);
        return {text(id),
                text(n),
                text("user name 12345"),
                text("{\"a\": 1, \"b\": \"some text\"}"),
                text("1234.56"),
                text("2026-11-20 12:00:00.123456")};
    };
    run("insert", [&](std::size_t i) { bench.feed.insert(table, row(i, "1")); });
    run("update", [&](std::size_t i) { bench.feed.update(table, row(i, "2")); });
    run("delete", [&](std::size_t i) {
        const Values values = row(i, "2");
        bench.feed.remove(table, OldRow::key, {values[0], null_value, null_value, null_value, null_value, null_value});
    });

    const auto accounts =
        make_relation("public", "accounts", {"aid integer*", "bid integer", "abalance integer", "filler char"});
    const auto tellers =
        make_relation("public", "tellers", {"tid integer*", "bid integer", "tbalance integer", "filler char"});
    const auto branches = make_relation("public", "branches", {"bid integer*", "bbalance integer", "filler char"});
    const auto history =
        make_relation("public", "history",
                      {"tid integer", "bid integer", "aid integer", "delta integer", "mtime timestamp", "filler char"});
    const std::string filler(84, ' ');
    for (const std::size_t per_batch : {std::size_t{1}, batch_rows / 4}) {
        const std::size_t transactions = per_batch == 1 ? rows / 20 : rows / 4;
        std::vector<Batch*> batches;
        for (std::size_t i = 0; i < transactions; ++i) {
            const std::string aid = std::to_string(1 + (i * 7919) % 100000);
            const std::string tid = std::to_string(1 + i % 10);
            const std::string delta = std::to_string(i);
            bench.feed.update(accounts, {text(aid), text("1"), text(delta), text(filler)});
            bench.feed.update(tellers, {text(tid), text("1"), text(delta), null_value});
            bench.feed.update(branches, {text("1"), text(delta), null_value});
            bench.feed.insert(history,
                              {text(tid), text("1"), text(aid), text(delta), text("2026-11-20 12:00:00"), null_value});
            if ((i + 1) % per_batch == 0 || i + 1 == transactions) {
                batches.push_back(&bench.feed.complete());
            } else {
                bench.feed.next_transaction();
            }
        }
        bench.measure(fmt::format("pgbench, {} tx a batch", per_batch), transactions * 4, batches);
    }
}

int main(int argc, char** argv) { return doctest::Context(argc, argv).run(); }
