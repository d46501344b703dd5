// A worker that stays away for longer than any default: nothing it needs expires. The time is not waited for: what the
// group remembers of the worker is set back by 25 hours, and everything that could expire is looked at.
#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/group/registry.h"
#include "tests/crash/actor.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("a worker that was away for 25 hours continues where it was") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, pad text)");
    pipeline.start_replicator();
    Actor other(pipeline.worker_argv("file", {"--file-output-dir", temporary_directory("absence") + "/out"}));
    other.start();
    const Names names = names_for(pipeline.group());
    const auto broker = connect_broker();
    WorkerRegistry registry(*broker, names);
    eventually("the other worker is registered", [&] {
        try {
            return registry.find("file").has_value();
        } catch (const Error& error) {  // nats-server may not answer for a bucket that it is just making
            if (error.action() != Action::retry) throw;
            return false;
        }
    });
    pipeline.start_worker();
    pipeline.settle();
    pipeline.stop_worker();
    // From now on nothing is kept for workers that may still join, only what the known ones need.
    pipeline.stop_replicator();
    pipeline.start_replicator({"--copy-and-stream", "--stream-retain", "0s"});

    auto absent = registry.find("postgres");
    REQUIRE(absent);
    constexpr std::int64_t day_and_hour_us = 25LL * 3600 * 1000 * 1000;
    absent->registered_us -= day_and_hour_us;
    absent->reported_us -= day_and_hour_us;
    broker->kv_put(names, "worker.postgres", encode(*absent));

    pipeline.on_source("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) AS i");
    const auto end = broker->stream_state(names.stream)->last_seq;
    eventually("the other worker has it all", [&] {
        const auto entry = registry.find("file");
        return entry && entry->durable.resume_seq > end;
    });
    for (const std::string& stream : {names.stream, "KV_" + names.stream}) {
        CAPTURE(stream);
        const auto state = broker->stream_state(stream);
        REQUIRE(state);
        CHECK(state->max_age_ns == 0);
    }
    CHECK(registry.find("postgres"));
    CHECK(broker->stream_state(names.stream)->first_seq <= absent->durable.resume_seq);

    pipeline.start_worker();
    pipeline.check_equal({"t"});
    // It was the absent worker that all this was kept for.
    eventually("the stream is trimmed",
               [&] { return broker->stream_state(names.stream)->first_seq > absent->durable.resume_seq; });
    pipeline.stop();
}
