// Two replicators of one group at once: one works, the other waits and says for whom, and takes over.
#include <doctest/doctest.h>

#include "stream/broker.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/wal_session.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Whether the positions of all changes in the stream rise, so that nobody wrote between another's messages.
bool in_order(const std::string& group) {
    const auto broker = connect_broker();
    const auto names = names_for(group);
    const auto state = broker->stream_state(names.stream);
    const auto consumer = broker->consumer(names, state->first_seq);
    MemoryStream seen;
    seen.keep_lines = false;
    for (StreamSeq last; last < state->last_seq;) {
        const auto message = consumer->next(10000);
        if (!message) return false;
        seen.store(message->meta, message->body);
        last = message->last_seq;
    }
    return seen.ordered() && seen.changes() > 0;
}

}  // namespace

TEST_CASE("the second waits, says for whom, and takes over when the first is killed") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE plain (id int)");  // without a key, so that a repeat is seen
    pipeline.start();
    pipeline.settle();
    Process second({.argv = pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "1000",
                                                      "--retry-initial-wait", "100ms", "--retry-max-wait", "200ms"})});
    REQUIRE(eventually("it says for whom it waits", [&] {
        return second.err().find("another replicator of the group is running (server process ") != std::string::npos;
    }));
    pipeline.on_source("INSERT INTO plain SELECT generate_series(1, 100000)");
    pipeline.kill_replicator();
    pipeline.on_source("INSERT INTO plain VALUES (0)");
    pipeline.check_equal({"plain"});
    CHECK(second.running());
    CHECK(in_order(pipeline.group()));
    pipeline.stop_worker();
    second.signal(SIGTERM);
    CHECK(second.wait(std::chrono::seconds(5)) == 0);
}

TEST_CASE("without retries the second exits") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    const auto second = run(pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"}));
    CAPTURE(second.err);
    CHECK(second.code == 4);
    CHECK(second.err.find("another replicator of the group is running (server process ") != std::string::npos);
    CHECK(second.err.find("HINT: ") != std::string::npos);
    pipeline.check_equal({"settled"});
    pipeline.stop();
}
