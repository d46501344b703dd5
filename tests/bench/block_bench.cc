// How fast blocks are written and read: rows per second of processor time, one thread, no network.
// The row is that of pg_flo's benchmark: bigserial key, bigint, varchar, jsonb, numeric, timestamp; 114 bytes as text.
#include <fmt/format.h>

#include <ctime>
#include <string>
#include <vector>

#include "stream/format/block_reader.h"
#include "stream/format/block_writer.h"
#include "stream/format/copy_text.h"

using namespace pgsluice;

namespace {

constexpr int rows_per_block = 700;
constexpr int blocks = 1000;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Relation bench_table() {
    Relation table{16385, "public", "bench", ReplicaIdentity::default_key, {}};
    for (const char* name : {"id", "account", "name", "payload", "amount", "created_at"}) {
        table.columns.push_back({name, 25, -1, table.columns.empty(), "text", 25, 0});
    }
    return table;
}

void report(const char* what, double seconds, std::size_t bytes) {
    const double rows = static_cast<double>(rows_per_block) * blocks;
    fmt::print("{:<22}{:>8.2f} M rows/s {:>8.0f} MB/s\n", what, rows / seconds / 1e6,
               static_cast<double>(bytes) / seconds / 1e6);
}

}  // namespace

int main() {
    const auto table = bench_table();
    const std::vector<Value> row{Value("1234567"),
                                 Value("987654321"),
                                 Value("customer-001234567"),
                                 Value(R"({"k": 1234567, "tag": "abcdefgh"})"),
                                 Value("12345.67"),
                                 Value("2026-11-20 23:59:59.123456")};
    Transaction transaction{742, Lsn{0x16B2D50}, {}, 781'234'567'890'123};
    Change change;
    change.relation = &table;
    change.transaction = &transaction;
    change.new_row = row;

    BlockWriter writer;
    std::string body;
    std::size_t bytes = 0;
    auto start = cpu_seconds();
    for (int block = 0; block < blocks; ++block) {
        writer.begin(transaction);
        for (int i = 1; i <= rows_per_block; ++i) {
            change.position = {transaction.commit_lsn, static_cast<std::uint64_t>(i)};
            writer.change(change);
        }
        writer.commit(Lsn{0x16B2D80});
        const auto written = writer.finish();
        bytes += written.size();
        if (block == 0) body = written;
    }
    report("write blocks", cpu_seconds() - start, bytes);

    BlockReader reader;
    std::size_t changes = 0;
    start = cpu_seconds();
    for (int block = 0; block < blocks; ++block) changes += reader.read(body)->changes.size();
    report("read blocks", cpu_seconds() - start, bytes);

    std::string copy;
    start = cpu_seconds();
    for (int i = 0; i < rows_per_block * blocks; ++i) {
        if (i % rows_per_block == 0) copy.clear();
        append_copy_line(copy, row);
    }
    report("write COPY text", cpu_seconds() - start, copy.size() * blocks);
    Arena arena;
    start = cpu_seconds();
    for (int block = 0; block < blocks; ++block) {
        arena.clear();
        for (std::string_view text = copy; !text.empty();) {
            changes += parse_copy_line(take_copy_line(text), row.size(), arena).size();
        }
    }
    report("read COPY text", cpu_seconds() - start, copy.size() * blocks);

    const std::string plain(1 << 20, 'x');
    JsonText json;
    start = cpu_seconds();
    for (int i = 0; i < 1000; ++i) {
        json.clear();
        json.text(plain);
    }
    fmt::print("{:<22}{:>17} {:>8.0f} MB/s\n", "escape plain ASCII", "", 1048.576 / (cpu_seconds() - start));
    return changes == 0 ? 1 : 0;
}
