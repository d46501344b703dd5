// A webhook's receiver that is down for a while, the whole chain as processes: the worker waits and goes on reporting,
// the replicator goes on confirming, and then everything arrives, in order.
//
// The outage takes five seconds; PGSLUICE_OUTAGE_SECONDS=120 makes it two minutes.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <set>

#include "stream/group/registry.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;
using Clock = std::chrono::steady_clock;

namespace {

std::chrono::seconds outage() {
    const char* given = std::getenv("PGSLUICE_OUTAGE_SECONDS");
    return std::chrono::seconds(given == nullptr ? 5 : std::atoi(given));
}

HttpReply ok(const HttpRequest&) { return {}; }

// The values of column n in the order they were first posted; CHECKs that a repeat has the key of the first.
std::vector<int> numbers_posted(const HttpReceiver& receiver) {
    std::vector<int> numbers;
    std::set<std::string> keys;
    for (const HttpRequest& request : receiver.requests()) {
        if (!keys.insert(request.headers.at("idempotency-key")).second) continue;
        const std::size_t at = request.body.find(R"("NewTuple":{"n":)");
        if (at != std::string::npos) numbers.push_back(std::atoi(request.body.c_str() + at + 16));
    }
    return numbers;
}

std::vector<int> counting(int from, int to) {
    std::vector<int> all(static_cast<std::size_t>(to - from + 1));
    std::iota(all.begin(), all.end(), from);
    return all;
}

}  // namespace

TEST_CASE("webhook: a receiver that is down is waited for, while worker and replicator keep reporting") {
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (n int PRIMARY KEY, body text)");
    pipeline.start_replicator({"--copy-and-stream", "--tables", "t"});
    auto receiver = std::make_unique<HttpReceiver>(ok);
    const int port = receiver->port();
    Process worker(ProcessOptions{.argv = pipeline.worker_argv("webhook", {"--webhook-url", receiver->url()})});
    const auto broker = connect_broker();
    WorkerRegistry registry(*broker, names_for(pipeline.group()));
    const auto entry = [&] { return registry.find("webhook").value_or(WorkerEntry{}); };

    pipeline.on_source("INSERT INTO t SELECT i, '' FROM generate_series(1, 10) i");
    REQUIRE(eventually("the first rows arrive", [&] { return numbers_posted(*receiver).size() == 10; }));
    pipeline.on_source("INSERT INTO t VALUES (11, '')");  // behind the copy, whether that had the first ones or not
    REQUIRE(eventually("a change arrives", [&] { return numbers_posted(*receiver) == counting(1, 11); }));
    REQUIRE(eventually("it counts", [&] { return entry().durable.position.ordinal == 1; }));
    std::int64_t heard_of = entry().reported_us;
    receiver.reset();

    // More than the sink queues, so that it waits inside apply() as well as inside flush().
    pipeline.on_source("INSERT INTO t SELECT i, repeat(md5(i::text), 3000) FROM generate_series(12, 211) i");
    // Until it is stuck, a progress marker of the replicator's may still move its checkpoint.
    REQUIRE(eventually("the worker waits", [&] { return worker.err().find("retrying in") != std::string::npos; }));
    for (int reports = 0; reports < 2; ++reports) {
        REQUIRE(eventually("the worker reports", [&] { return entry().reported_us > heard_of; }));
        heard_of = entry().reported_us;
    }
    const WorkerEntry before = entry();
    int last = 211;
    for (const auto until = Clock::now() + outage(); Clock::now() < until;) {
        pipeline.on_source("INSERT INTO t VALUES (" + std::to_string(++last) + ", '')");
        const std::string lsn = pipeline.source_scalar("SELECT pg_current_wal_insert_lsn()");
        REQUIRE(eventually("the replicator confirms", [&] {
            return pipeline.source_scalar("SELECT confirmed_flush_lsn >= '" + lsn +
                                          "' FROM pg_replication_slots WHERE slot_name = 'pgsluice_" +
                                          pipeline.group() + "'") == "t";
        }));
        REQUIRE(eventually("the worker reports", [&] { return entry().reported_us > heard_of; }));
        heard_of = entry().reported_us;
        REQUIRE(worker.running());
    }
    CHECK(entry().durable == before.durable);

    HttpReceiver again(ok, port);
    REQUIRE(eventually(
        "everything arrives", [&] { return numbers_posted(again).size() >= static_cast<std::size_t>(last - 11); },
        std::chrono::seconds(60)));
    CHECK(numbers_posted(again) == counting(12, last));
    worker.signal(SIGTERM);
    CHECK(worker.wait(std::chrono::seconds(10)) == 0);
    CHECK(worker.err().find("retrying in") != std::string::npos);
    CHECK(worker.err().find("accepts changes again") != std::string::npos);
    pipeline.stop_replicator();
}
