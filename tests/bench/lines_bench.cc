// How fast changes become lines, and lines reach a file, stdout and a local webhook receiver; no PostgreSQL, no NATS.
//
// usage: lines_bench [rows]        (default 2000000; run a release build)
// Rows are those of pg_flo's benchmark: bigserial key, bigint, varchar, jsonb, numeric, timestamp, 114 bytes as text.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "sinks/file/sink.h"
#include "sinks/lines/json_line.h"
#include "sinks/stdout/sink.h"
#include "sinks/webhook/sink.h"
#include "tests/support/http_receiver.h"

using namespace pgsluice;

namespace {

constexpr std::size_t batch_rows = 1000;

RelationPtr users() {
    auto made = std::make_shared<Relation>();
    made->schema = "public";
    made->table = "users";
    const auto column = [&](const char* name, Oid type, bool key) {
        made->columns.push_back({name, type, -1, key, "", type, 0});
    };
    column("id", 20, true);
    column("account", 20, false);
    column("username", 1043, false);
    column("profile", 3802, false);
    column("balance", 1700, false);
    column("created_at", 1114, false);
    return made;
}

void fill(Batch& batch, const Relation& relation, const Transaction& transaction) {
    for (std::size_t i = 0; i < batch_rows; ++i) {
        const auto row = batch.arena.make<Value>(6);
        const std::string texts[] = {
            std::to_string(1000000 + i),        std::to_string(7919 * i % 1000003),       fmt::format("user_{:08}", i),
            R"({"age": 42, "city": "Berlin"})", fmt::format("{}.{:02}", i * 37, i % 100), "2026-11-20 23:05:00.123456"};
        for (std::size_t c = 0; c < 6; ++c) row[c] = Value(batch.arena.copy(texts[c]));
        Change change;
        change.relation = &relation;
        change.transaction = &transaction;
        change.position = {transaction.commit_lsn, i + 1};
        change.new_row = row;
        batch.changes.push_back(change);
    }
}

struct Stopwatch {
    static double cpu() {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
        };
        return seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    void print(const char* what, std::size_t rows, double bytes) const {
        const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
        fmt::print("{:<28} {:>10.0f} rows/s {:>8.1f} MB/s   {:.2f} s CPU in {:.2f} s\n", what,
                   static_cast<double>(rows) / wall, bytes / wall / 1e6, cpu() - cpu_from, wall);
        std::fflush(stdout);
    }
    std::chrono::steady_clock::time_point from = std::chrono::steady_clock::now();
    double cpu_from = cpu();
};

// Feeds a sink as a worker does whose input never runs dry.
void measure(const char* what, Sink& sink, Batch& batch, std::size_t rows, double bytes_per_row) {
    sink.open();
    const Stopwatch watch;
    auto flushed = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < rows; done += batch_rows) {
        batch.upto.resume_seq.value += 1;
        sink.apply(batch);
        if (std::chrono::steady_clock::now() - flushed < std::chrono::seconds(1)) continue;
        sink.flush();
        flushed = std::chrono::steady_clock::now();
    }
    sink.close();
    watch.print(what, rows, bytes_per_row * static_cast<double>(rows));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2000000;
    const Log quiet = [](LogLevel, std::string_view) {};
    const RelationPtr relation = users();
    const Transaction transaction{771, Lsn{0x16B2D50}, Lsn{0x16B2D80}, 846010800123456};
    Batch batch;
    fill(batch, *relation, transaction);

    double bytes_per_row = 0;
    for (const LineFormat format : {LineFormat::pg_flo, LineFormat::debezium}) {
        const auto encoder = make_line_encoder(format, "bench");
        std::string out;
        std::size_t bytes = 0;
        const Stopwatch watch;
        for (std::size_t done = 0; done < rows; done += batch_rows) {
            out.clear();
            for (const Change& change : batch.changes) encoder->append(out, change);
            bytes += out.size();
        }
        const bool pg_flo = format == LineFormat::pg_flo;
        if (pg_flo) bytes_per_row = static_cast<double>(bytes) / static_cast<double>(rows);
        watch.print(pg_flo ? "encode pg_flo" : "encode debezium", rows, static_cast<double>(bytes));
    }

    StdoutSinkOptions to_null;
    to_null.fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    measure("stdout to /dev/null", *make_stdout_sink(to_null, quiet, {}), batch, rows, bytes_per_row);

    for (const bool zstd : {false, true}) {
        char directory[] = "/tmp/pgsluice_bench_XXXXXX";
        if (::mkdtemp(directory) == nullptr) return 1;
        FileSinkOptions to_files;
        to_files.output_dir = directory;
        to_files.zstd = zstd;
        measure(zstd ? "file, zstd" : "file", *make_file_sink(to_files, quiet, {}), batch, rows, bytes_per_row);
        std::filesystem::remove_all(directory);
    }

    test::HttpReceiver receiver([](const test::HttpRequest&) { return test::HttpReply{}; });
    WebhookSinkOptions to_http;
    to_http.url = receiver.url();
    to_http.batch_size = 1000;
    measure("webhook, 1000 per request", *make_webhook_sink(to_http, quiet, {}), batch, rows / 4, bytes_per_row);
    return 0;
}
