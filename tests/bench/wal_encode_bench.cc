// How fast the replicator's own work is: pgoutput bytes through decoder and encoder into blocks that nobody sends.
//
// usage: wal_encode_bench [rows]        (default 2000000; run a release build)
// Rows are those of pg_flo's benchmark: bigserial key, bigint, varchar, jsonb, numeric, timestamp, 114 bytes as text.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "replicator/wal/encoder.h"
#include "replicator/wal/frame.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr std::size_t block_bytes = 128 * 1024;
constexpr int distinct_rows = 4096;  // as many messages are made once and replayed

std::string relation() {
    return wal_relation(1, "users", {"id", "account", "username", "profile", "balance", "created_at"});
}

std::string insert(int i) {
    return wal_insert(1, {std::to_string(1000000 + i), std::to_string(7919LL * i % 1000003),
                          "user_" + std::to_string(i), R"({"tier": "gold", "age": )" + std::to_string(i % 90) + "}",
                          std::to_string(i % 10000) + ".50", "2025-09-01 12:34:56.789012"});
}

std::string update(int i) {
    return wal_update(1, {},
                      {std::to_string(1000000 + i), std::to_string(7919LL * i % 1000003), "user_" + std::to_string(i),
                       R"({"tier": "gold", "age": )" + std::to_string(i % 90) + "}", std::to_string(i % 10000) + ".75",
                       "2025-09-01 12:34:56.789012"});
}

std::string del(int i) {
    return wal_delete(
        1, {std::to_string(1000000 + i), std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt});
}

struct Load {
    const char* name;
    std::vector<std::string> frames;
    int rows_per_transaction;
};

Load load(const char* name, std::string (*row)(int), int rows_per_transaction) {
    Load made{name, {}, rows_per_transaction};
    for (int i = 0; i < distinct_rows; ++i) made.frames.push_back(xlog_data(row(i)));
    return made;
}

class Replay {
   public:
    explicit Replay(const Load& what) : load_(what) {}

    void run(int rows) {
        feed(xlog_data(wal_begin(commit_, 1)));
        feed(xlog_data(relation()));
        for (int i = 0; i < rows; ++i) {
            if (i > 0 && i % load_.rows_per_transaction == 0) next_transaction();
            feed(load_.frames[static_cast<std::size_t>(i % distinct_rows)]);
        }
    }

    std::size_t bytes_in = 0;
    std::size_t bytes_out = 0;

   private:
    void next_transaction() {
        feed(xlog_data(wal_commit(commit_, Lsn{commit_.value + 48})));
        commit_.value += 512;
        feed(xlog_data(wal_begin(commit_, 1)));
    }
    void feed(const std::string& frame) {
        bytes_in += frame.size();
        encoder_.take(std::get<XLogData>(parse_wal_frame(frame)).message);
        if (encoder_.size() < block_bytes) return;
        bytes_out += encoder_.finish().body.size();
    }

    const Load& load_;
    WalEncoder encoder_{{}, {}};
    Lsn commit_{0x1000000};
};

void measure(const Load& what, int rows) {
    Replay timed(what);
    const auto start = std::chrono::steady_clock::now();
    timed.run(rows);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fmt::print("{:<24} {:>9.0f} rows/s {:>7.0f} ns/row {:>6.0f} MB/s in {:>6.0f} MB/s out\n", what.name,
               rows / took.count(), took.count() * 1e9 / rows, static_cast<double>(timed.bytes_in) / 1e6 / took.count(),
               static_cast<double>(timed.bytes_out) / 1e6 / took.count());
}

}  // namespace

int main(int argc, char** argv) {
    const int rows = argc > 1 ? std::atoi(argv[1]) : 2000000;
    measure(load("insert, one transaction", insert, 1 << 30), rows);
    measure(load("update, one transaction", update, 1 << 30), rows);
    measure(load("delete, one transaction", del, 1 << 30), rows);
    measure(load("4 inserts a transaction", insert, 4), rows);
    return 0;
}
