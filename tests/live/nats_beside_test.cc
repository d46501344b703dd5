// Connections to NATS beside the data's are shared by those who reach it in the same way, and by no one else.
#include <doctest/doctest.h>

#include <fstream>
#include <future>

#include "sql/error.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A server that says how many clients it has.
struct Watched {
    explicit Watched(const std::string& more = {}) : nats({.extra_config = "http: 127.0.0.1:" + port + "\n" + more}) {
        options.url = nats.url();
        options.beside = share_connections();
    }
    [[nodiscard]] int connections() const {
        const std::string body = http_get("http://127.0.0.1:" + port, "/varz").body;
        const std::string field = "\"connections\": ";
        const auto at = body.find(field);
        return at == std::string::npos ? -1 : std::stoi(body.substr(at + field.size()));
    }
    bool become(int count) const {
        return eventually("the server has " + std::to_string(count) + " connections",
                          [&] { return connections() == count; });
    }
    [[nodiscard]] std::unique_ptr<Broker> connect(BrokerOptions given, std::stop_token stop = {},
                                                  int request_ms = 5000) const {
        return Broker::connect(beside_data(std::move(given), request_ms, 0), no_log(), std::move(stop));
    }
    [[nodiscard]] BrokerOptions as(const std::string& login) const {
        BrokerOptions other = options;
        other.url = "nats://" + login + "@127.0.0.1:" + std::to_string(nats.port());
        return other;
    }

    const std::string port = std::to_string(free_port());
    NatsServer nats;
    BrokerOptions options;
};

// What a question ends with.
std::string ask(Broker& broker, const std::string& stream = "none") {
    try {
        static_cast<void>(broker.stream_state(stream));
        return "answered";
    } catch (const Error& error) {
        return (error.action() == Action::retry ? "retry: " : "stop: ") + std::string(error.what());
    }
}

}  // namespace

TEST_CASE("who reaches NATS in the same way shares a connection, which ends with the last of them") {
    if (hardened_by_environment()) return;
    const Watched server;
    auto first = server.connect(server.options);
    auto second = server.connect(server.options);
    CHECK(server.become(1));
    const auto own = Broker::connect(server.options, no_log(), {});
    CHECK(server.become(2));
    BrokerOptions other = server.options;
    other.inbox_prefix = "other";
    const auto third = server.connect(other);
    CHECK(server.become(3));
    first.reset();
    CHECK(ask(*second) == "answered");
    CHECK(server.become(3));
    second.reset();
    CHECK(server.become(2));
}

TEST_CASE("what one user is denied stops no other, nor another group of the same user") {
    if (hardened_by_environment()) return;
    const Watched server(
        "authorization { users = [ {user: all, password: x}, {user: few, password: x, permissions: { publish: { deny: "
        "\"$JS.API.STREAM.INFO.pgsluice_g10\" } } } ] }");
    const auto all = server.connect(server.as("all:x"));
    const auto few = server.connect(server.as("few:x"));
    const auto too = server.connect(server.as("few:x"));
    CHECK(server.become(2));
    CHECK(
        contains(ask(*few, "pgsluice_g10"), "stop: unable to read the state of stream 'pgsluice_g10': the NATS user"));
    CHECK(ask(*all, "pgsluice_g10") == "answered");
    CHECK(ask(*too, "pgsluice_g1") == "answered");
    CHECK(contains(ask(*too, "pgsluice_g10"), "stop: "));
}

TEST_CASE("one that is stopped while the server hangs returns; the others find a new connection") {
    if (hardened_by_environment()) return;
    Watched server;
    std::stop_source stop;
    const auto stopped = server.connect(server.options, stop.get_token(), 60000);
    auto other = server.connect(server.options);
    server.nats.pause();
    auto answer = std::async(std::launch::async, [&] { return ask(*stopped); });
    CHECK(answer.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
    const auto since = std::chrono::steady_clock::now();
    stop.request_stop();
    CHECK(contains(answer.get(), "retry: "));
    CHECK(std::chrono::steady_clock::now() - since < std::chrono::seconds(30));  // it would have waited for a minute
    CHECK(contains(ask(*other), "retry: "));
    server.nats.resume();
    other.reset();
    other = server.connect(server.options);
    CHECK(ask(*other) == "answered");
}

TEST_CASE("one that is stopped while the server answers leaves the connection to the others") {
    if (hardened_by_environment()) return;
    const Watched server;
    std::stop_source stop;
    auto stopped = server.connect(server.options, stop.get_token(), 60000);
    const auto other = server.connect(server.options);
    stop.request_stop();
    CHECK(ask(*stopped) == "answered");
    stopped.reset();
    CHECK(ask(*other) == "answered");
}

TEST_CASE("a process that runs groups has one connection beside those of each replicator and worker") {
    if (hardened_by_environment()) return;
    Watched server;
    const PipelineServers servers{shared_postgres(), shared_postgres(), server.nats};
    Pipeline first(servers);
    Pipeline second(servers);
    const std::string path = temporary_directory("beside") + "/run.yaml";
    std::ofstream file(path);
    file << "nats-url: " << server.nats.url() << "\nhttp-listen: 127.0.0.1:0\ngroups:\n";
    for (Pipeline* one : {&first, &second}) {
        one->on_both("CREATE TABLE items (id int PRIMARY KEY)");
        one->on_source("INSERT INTO items VALUES (1)");
        file << "  " << one->group() << ":\n    source-url: " << one->source_url()
             << "\n    replicator: {copy-and-stream: true}\n    workers:\n      - sink: postgres\n        target-url: "
             << one->target_url() << "\n";
    }
    file.close();
    Process process({.argv = {PGSLUICE_BINARY, "run", "--config", path}});
    const std::string url = served_at(process);
    CHECK(eventually("it is ready", [&] { return http_get(url, "/readyz").status == 200; }));
    for (Pipeline* one : {&first, &second})
        CHECK(
            eventually("the rows are there", [&] { return one->target_scalar("SELECT count(*) FROM items") == "1"; }));
    CHECK(server.become(5));
    process.signal(SIGTERM);
    CHECK(process.wait(std::chrono::seconds(30)) == 0);
}
