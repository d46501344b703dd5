// /metrics, /healthz and /readyz of real processes agree with what the servers themselves say.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>

#include "cmd/http/metric_table.h"
#include "tests/support/http_get.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

const std::vector<std::string> serving{"--http-listen", "127.0.0.1:0"};

std::vector<std::string> copying() {
    auto flags = serving;
    flags.emplace_back("--copy-and-stream");
    return flags;
}

// Waits until a series has this value; shows the last scrape when it does not.
void becomes(const std::string& url, const std::string& series, double value) {
    std::string last;
    const bool did = eventually(series + " becomes " + std::to_string(value), [&] {
        const Scrape scrape(url);
        last = scrape.text();
        return scrape.value(series) == value;
    });
    if (!did) MESSAGE(last);
}

// Connects, and says nothing.
class SilentClient {
   public:
    explicit SilentClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~SilentClient() { ::close(socket_); }
    SilentClient(const SilentClient&) = delete;
    SilentClient& operator=(const SilentClient&) = delete;

   private:
    int socket_;
};

void check_known(const Scrape& scrape, MetricRole role) {
    for (const std::string& name : scrape.names()) {
        INFO(name);
        const Metric* metric = find_metric(name);
        REQUIRE(metric != nullptr);
        CHECK((metric->role == role || metric->role == MetricRole::both));
    }
}

}  // namespace

TEST_CASE("what is counted is what happened") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY, name text)");
    pipeline.on_source("INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 300) i");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    const std::string source = served_at(pipeline.replicator());
    const std::string target = served_at(pipeline.worker());
    pipeline.settle();
    // The target has a transaction a moment before the worker has counted it; the replicator has counted it long ago.
    double before = -1;
    eventually("what has arrived is counted", [&] {
        before = Scrape(target).value("pgsluice_applied_transactions_total").value_or(0);
        return before == Scrape(source).value("pgsluice_source_transactions_total").value_or(0);
    });
    pipeline.on_source(
        "INSERT INTO items VALUES (1001, 'a'), (1002, 'b'); UPDATE items SET name = 'c' WHERE id <= 5;"
        "DELETE FROM items WHERE id = 7");
    pipeline.on_source("TRUNCATE items");
    pipeline.settle();

    const std::string of_items = "schema=\"public\",table=\"items\"";
    becomes(source, "pgsluice_snapshot_rows{" + of_items + "}", 300);
    const Scrape replicator(source);
    CHECK(replicator.value("pgsluice_snapshot_ratio{" + of_items + "}") == 1);
    CHECK(replicator.value("pgsluice_snapshot_estimated_rows{" + of_items + "}") == 300);
    CHECK(replicator.value("pgsluice_snapshot_complete") == 1);
    for (const auto& [op, count] : {std::pair{"insert", 2}, {"update", 5}, {"delete", 1}, {"truncate", 1}}) {
        const std::string labels = "{" + of_items + ",op=\"" + op + "\"}";
        CHECK(replicator.value("pgsluice_source_changes_total" + labels) == count);
        becomes(target, "pgsluice_applied_changes_total" + labels, count);
    }
    CHECK(replicator.value("pgsluice_source_change_bytes_total{" + of_items + "}").value_or(0) > 100);
    becomes(target, "pgsluice_applied_transactions_total", before + 3);
    becomes(target, "pgsluice_commit_to_visible_seconds_count", before + 3);
    const Scrape worker(target);
    const double applied = worker.value("pgsluice_applied_transactions_total").value_or(0);
    CHECK(applied == before + 3);  // each list of statements is one, and settle() writes one
    CHECK(replicator.value("pgsluice_source_transactions_total") == applied);
    CHECK(worker.value("pgsluice_commit_to_visible_seconds_count") == applied);
    CHECK(worker.value("pgsluice_snapshot_rows_loaded_total{" + of_items + "}") == 300);
    CHECK(worker.value("pgsluice_running") == 1);
    for (const std::string& url : {source, target}) {
        eventually("/status has the worker", [&] {
            const GetReply status = http_get(url, "/status");
            return status.status == 200 && contains(status.body, "\"group\":\"" + pipeline.group() + "\"") &&
                   contains(status.body, "\"name\":\"postgres\"");
        });
        eventually("it knows the age of the oldest message",
                   [&] { return Scrape(url).value("pgsluice_stream_oldest_seconds").value_or(0) > 0; });
    }
    check_known(replicator, MetricRole::replicator);
    check_known(worker, MetricRole::worker);
    pipeline.stop();
}

TEST_CASE("what rules drop and rewrite is counted, in a snapshot and after it") {
    const TextFile rules(R"(
tables:
  people:
    - {type: filter, column: age, parameters: {operator: gte, value: 18, allow_empty_deletes: true}}
    - {type: transform, column: email, parameters: {type: mask}}
)");
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE people (id int PRIMARY KEY, email text, age int); CREATE TABLE plain (id int)");
    pipeline.on_source(
        "INSERT INTO people SELECT i, CASE WHEN i % 2 = 0 THEN 'some@one' END, 10 + i "
        "FROM generate_series(1, 10) i; INSERT INTO plain VALUES (1)");  // 7 are too young, of 3 one is NULL
    pipeline.start_replicator(copying());
    auto flags = serving;
    flags.insert(flags.end(), {"--rules-config", rules.path()});
    std::string sink = "postgres";  // which takes rows as COPY text
    SUBCASE("rows as COPY text") {}
    SUBCASE("rows one by one") { sink = "stdout"; }
    Process worker({.argv = pipeline.worker_argv(sink, flags)});
    const std::string target = served_at(worker);
    const std::string of_people = "{schema=\"public\",table=\"people\"}";
    becomes(target, "pgsluice_snapshot_rows_loaded_total" + of_people, 3);
    becomes(target, "pgsluice_dropped_changes_total" + of_people, 7);
    becomes(target, "pgsluice_rewritten_changes_total" + of_people, 2);
    pipeline.on_source(
        "INSERT INTO people VALUES (20, 'a@b', 5), (21, 'a@b', 30), (22, NULL, 30); INSERT INTO plain VALUES (2);"
        "UPDATE people SET email = 'c@d' WHERE id = 21; DELETE FROM people WHERE id = 22");
    becomes(target, "pgsluice_applied_changes_total{schema=\"public\",table=\"plain\",op=\"insert\"}", 1);
    becomes(target, "pgsluice_dropped_changes_total" + of_people, 8);
    becomes(target, "pgsluice_rewritten_changes_total" + of_people, 4);
    CHECK(Scrape(target).value("pgsluice_rewritten_changes_total{schema=\"public\",table=\"plain\"}").value_or(0) == 0);
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    pipeline.stop_replicator();
}

TEST_CASE("rows that the target had otherwise are counted, and connections that were lost") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY, name text)");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    const std::string source = served_at(pipeline.replicator());
    const std::string target = served_at(pipeline.worker());
    pipeline.on_source("INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 5) i");
    pipeline.settle();
    CHECK(Scrape(target).value("pgsluice_conflicts_total{kind=\"update_inserted\"}") == 0);
    CHECK(Scrape(target).value("pgsluice_lost_connections_total{link=\"target\"}") == 0);
    CHECK(Scrape(source).value("pgsluice_lost_connections_total{link=\"source\"}") == 0);
    pipeline.on_target("DELETE FROM items");
    pipeline.on_target("INSERT INTO items VALUES (6, 'here already')");
    pipeline.on_source("UPDATE items SET name = 'x' WHERE id = 1");
    pipeline.on_source("DELETE FROM items WHERE id IN (2, 3)");
    pipeline.on_source("INSERT INTO items VALUES (6, 'six')");
    pipeline.settle();
    becomes(target, "pgsluice_conflicts_total{kind=\"update_inserted\"}", 1);
    becomes(target, "pgsluice_conflicts_total{kind=\"delete_missing\"}", 2);
    becomes(target, "pgsluice_conflicts_total{kind=\"insert_updated\"}", 1);
    const std::string ours =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
        "current_database() AND application_name LIKE 'pgsluice%'";
    CHECK(pipeline.target_scalar(ours) != "0");
    becomes(target, "pgsluice_lost_connections_total{link=\"target\"}", 1);
    CHECK(pipeline.source_scalar(ours) != "0");
    eventually("the source's loss is counted",
               [&] { return Scrape(source).value("pgsluice_lost_connections_total{link=\"source\"}") >= 1; });
    CHECK(Scrape(source).value("pgsluice_lost_connections_total{link=\"nats\"}") == 0);
    pipeline.settle();
    CHECK(Scrape(target).value("pgsluice_conflicts_total{kind=\"update_inserted\"}") == 1);
    pipeline.stop();
}

TEST_CASE("lag and slot agree with PostgreSQL while a worker is stopped, and go to nothing when it is back") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator(copying());
    pipeline.start_worker();
    pipeline.settle();
    const std::string source = served_at(pipeline.replicator());
    pipeline.stop_worker();
    pipeline.on_source("INSERT INTO items SELECT generate_series(1, 1000)");
    const std::string labels = "{worker=\"postgres\",stage=\"applied\"}";
    eventually("the stopped worker lags", [&] {
        const Scrape scrape(source);
        return scrape.value("pgsluice_worker_lag_messages" + labels).value_or(0) > 0 &&
               scrape.value("pgsluice_worker_lag_seconds" + labels).value_or(0) > 1;
    });
    becomes(source, "pgsluice_lag_seconds{stage=\"received\"}", 0);
    const Scrape scrape(source);
    const std::string slot = "pgsluice_" + pipeline.group();
    CHECK(scrape.value("pgsluice_slot_active") == 1);
    CHECK(scrape.value("pgsluice_slot_wal_status{status=\"reserved\"}") == 1);
    CHECK_FALSE(scrape.value("pgsluice_slot_safe_bytes"));
    CHECK(scrape.value("pgsluice_worker_reported_seconds{worker=\"postgres\"}").value_or(-1) > 0);
    pipeline.start_worker(serving);
    pipeline.settle();
    becomes(source, "pgsluice_worker_lag_messages" + labels, 0);
    const std::string target = served_at(pipeline.worker());
    becomes(target, "pgsluice_lag_messages{stage=\"applied\"}", 0);
    becomes(target, "pgsluice_lag_seconds{stage=\"durable\"}", 0);
    becomes(target, "pgsluice_lag_bytes{stage=\"applied\"}", 0);
    pipeline.stop();
}

TEST_CASE("health is told while NATS is down, and readiness comes back with it") {
    NatsServer nats;
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    pipeline.settle();
    const std::string source = served_at(pipeline.replicator());
    const std::string target = served_at(pipeline.worker());
    const auto ready = [&] {
        return http_get(source, "/readyz").status == 200 && http_get(target, "/readyz").status == 200;
    };
    eventually("both are ready", ready);
    CHECK(http_get(source, "/readyz").body == "ready\n");
    nats.kill();
    eventually("the replicator is not ready", [&] { return http_get(source, "/readyz").status == 503; });
    CHECK(contains(http_get(source, "/readyz").body, "not ready: waiting to start again after: "));
    CHECK(http_get(source, "/healthz").status == 200);
    becomes(target, "pgsluice_nats_up", 0);
    nats.start();
    eventually("both are ready again", ready);
    CHECK(Scrape(source).value("pgsluice_session_failures_total").value_or(0) > 0);
    pipeline.settle();
    pipeline.stop();
}

TEST_CASE("clients that say nothing hold up neither the data nor the end") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    const std::string url = served_at(pipeline.worker());
    pipeline.settle();
    const int port = std::stoi(url.substr(url.rfind(':') + 1));
    std::vector<std::unique_ptr<SilentClient>> silent;
    for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<SilentClient>(port));
    pipeline.on_source("INSERT INTO items VALUES (1)");
    pipeline.check_equal({"items"});
    eventually("others are answered", [&] { return http_get(url, "/healthz").status == 200; });
    pipeline.stop();
}

TEST_CASE("a webhook's answers are counted, those that never came, too") {
    std::atomic<int> asked = 0;
    HttpReceiver receiver([&](const HttpRequest&) {
        HttpReply reply;
        if (++asked == 1) reply.status = 503;
        return reply;
    });
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator({"--stream", "--http-listen", "127.0.0.1:0"});
    pipeline.await_stream();
    Process worker(
        {pipeline.worker_argv("webhook", {"--webhook-url", receiver.url(), "--http-listen", "127.0.0.1:0"})});
    const std::string url = served_at(worker);
    pipeline.on_source("INSERT INTO items VALUES (1), (2), (3)");
    becomes(url, "pgsluice_webhook_requests_total{answer=\"2xx\"}", 3);
    becomes(url, "pgsluice_webhook_request_seconds_count", 4);
    becomes(url, "pgsluice_applied_changes_total{schema=\"public\",table=\"items\",op=\"insert\"}", 3);
    const Scrape scrape(url);
    CHECK(scrape.value("pgsluice_webhook_requests_total{answer=\"5xx\"}") == 1);
    CHECK(scrape.value("pgsluice_webhook_request_seconds_count") == 4);
    CHECK(scrape.value("pgsluice_applied_changes_total{schema=\"public\",table=\"items\",op=\"insert\"}") == 3);
    check_known(scrape, MetricRole::worker);
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    pipeline.stop_replicator();
}
