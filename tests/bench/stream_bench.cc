// Publisher and consumer against a nats-server with JetStream, by default the one on port 4222: messages and bytes per
// second by message size, and the latency of single messages.
//
//     stream_bench [nats://host:port]
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "stream/broker.h"

using namespace pgsluice;
using Clock = std::chrono::steady_clock;

namespace {

// A stream of its own, removed at the end.
struct Bench {
    explicit Bench(const std::string& url) : names(names_for("bench_" + std::to_string(::getpid()))) {
        BrokerOptions options;
        options.url = url;
        broker = Broker::connect(options, [](LogLevel, std::string_view) {}, {});
        broker->ensure_stream(names, {});
    }
    ~Bench() { broker->delete_stream(names.stream); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    Names names;
    std::unique_ptr<Broker> broker;
};

MessageMeta at(std::uint64_t i) { return {MessageKind::changes, {Lsn{i}, 1}, Lsn{i}}; }

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void report(const char* what, std::size_t size, std::uint64_t count, double seconds, double cpu) {
    const auto messages = static_cast<double>(count);
    fmt::print("{:<9}{:>7} B {:>9.0f} msg/s {:>7.0f} MB/s   {:>6.2f} us of our processor a message\n", what, size,
               messages / seconds, messages * static_cast<double>(size) / seconds / 1e6, cpu / messages * 1e6);
}

void throughput(const std::string& url, std::size_t size, std::uint64_t count) {
    const Bench bench(url);
    const std::string body(size, 'x');
    auto publisher = bench.broker->publisher(bench.names, {0}, {});
    auto cpu = cpu_seconds();
    auto start = Clock::now();
    for (std::uint64_t i = 1; i <= count; ++i) {
        while (!publisher->wait_for_room(1000)) {
        }
        publisher->publish(at(i), body);
    }
    while (!publisher->await_acks(1000)) {
    }
    report("publish", size, count, since(start), cpu_seconds() - cpu);
    cpu = cpu_seconds();
    start = Clock::now();
    auto consumer = bench.broker->consumer(bench.names, {1});
    for (std::uint64_t read = 0; read < count;) {
        if (consumer->next(1000)) ++read;
    }
    report("consume", size, count, since(start), cpu_seconds() - cpu);
}

void latency(const std::string& url) {
    const Bench bench(url);
    auto publisher = bench.broker->publisher(bench.names, {0}, {});
    auto consumer = bench.broker->consumer(bench.names, {1});
    std::vector<double> times;
    for (std::uint64_t i = 1; i <= 2000; ++i) {
        const auto start = Clock::now();
        publisher->publish(at(i), "x");
        while (!consumer->next(1000)) {
        }
        times.push_back(since(start) * 1e3);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::sort(times.begin(), times.end());
    fmt::print("publish to read, one at a time: p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms\n", times[1000],
               times[1900], times[1980]);
}

void idle_calls(const std::string& url) {
    const Bench bench(url);
    auto consumer = bench.broker->consumer(bench.names, {1});
    constexpr int calls = 1'000'000;
    const auto start = cpu_seconds();
    for (int i = 0; i < calls; ++i) {
        if (consumer->next(0)) return;
    }
    fmt::print("next(0) with nothing there: {:.0f} ns\n", (cpu_seconds() - start) / calls * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string server = argc > 1 ? argv[1] : "nats://127.0.0.1:4222";
    throughput(server, 300, 300'000);
    throughput(server, 4096, 150'000);
    throughput(server, 32 * 1024, 20'000);
    throughput(server, 128 * 1024, 5'000);
    latency(server);
    idle_calls(server);
    return 0;
}
