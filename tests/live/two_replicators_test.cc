// Two replicators of one group at once: one works, the other waits and says for whom, and takes over.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

#include "sql/replication.h"
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
    CHECK(second.wait(std::chrono::seconds(20)) == 0);
}

TEST_CASE("a walsender left active on the slot is ended, and its replicator does not get the slot back") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE plain (id int)");
    pipeline.start();
    pipeline.settle();
    // Cut off: it notices nothing, and the server has lost only the connection that holds the lock.
    pipeline.replicator().signal(SIGSTOP);
    pipeline.on_source(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())");
    Process second({.argv = pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"})});
    pipeline.on_source("INSERT INTO plain SELECT generate_series(1, 1000)");
    pipeline.check_equal({"plain"});
    CHECK(second.err().find("which an earlier session left using slot") != std::string::npos);
    pipeline.replicator().signal(SIGCONT);
    CHECK(eventually("the first says who has taken over", [&] {
        return pipeline.replicator().err().find("another replicator of the group is running") != std::string::npos;
    }));
    pipeline.on_source("INSERT INTO plain SELECT generate_series(1, 1000)");
    pipeline.check_equal({"plain"});
    CHECK(second.running());
    CHECK(in_order(pipeline.group()));
    pipeline.kill_replicator();
    pipeline.stop_worker();
    second.signal(SIGTERM);
    CHECK(second.wait(std::chrono::seconds(20)) == 0);
}

TEST_CASE("another role's walsender on the slot is left alone") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    pipeline.stop_replicator();
    const std::string slot = "pgsluice_" + pipeline.group();
    REQUIRE(eventually("the slot is free", [&] {
        return pipeline.source_scalar("SELECT active FROM pg_replication_slots WHERE slot_name = '" + slot + "'") ==
               "f";
    }));
    auto options = shared_postgres().connect(pipeline.source_scalar("SELECT current_database()"));
    options.url = "application_name=other";
    sql::ReplicationConnection other(options);
    other.start_replication(slot, slot);
    const auto second = run(pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"}));
    CAPTURE(second.err);
    CHECK(second.code == 4);
    CHECK(second.err.find("is using it") != std::string::npos);
    CHECK(pipeline.source_scalar("SELECT active FROM pg_replication_slots WHERE slot_name = '" + slot + "'") == "t");
    pipeline.stop_worker();
}

TEST_CASE("a group of the same name in another database of the server leaves the slot's walsender alone") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    const std::string walsender =
        "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + pipeline.group() + "'";
    std::string pid;  // the settled row may have come with a copy, after which the log is read
    REQUIRE(eventually("the group reads its slot", [&] { return !(pid = pipeline.source_scalar(walsender)).empty(); }));
    const std::string other = shared_postgres().create_database();
    shared_postgres().sql(other, "CREATE TABLE t (id int PRIMARY KEY)");
    auto argv = pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"});
    *std::next(std::find(argv.begin(), argv.end(), "--source-url")) = shared_postgres().url(other);
    const auto second = run(argv);
    CAPTURE(second.err);
    CHECK(second.code == 1);
    CHECK(second.err.find("it is a slot of pgoutput in " + pipeline.source_db()) != std::string::npos);
    CHECK(pipeline.source_scalar(walsender) == pid);
    pipeline.check_equal({"settled"});
    pipeline.stop();
}

TEST_CASE("without retries the second exits") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    const auto second = run(pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"}));
    CAPTURE(second.err);
    CHECK(second.code == 4);
    CHECK(second.err.find("another replicator of the group is running (server process ") != std::string::npos);
    CHECK(second.err.find("HINT: Run one replicator per group; end the other one first.") != std::string::npos);
    pipeline.check_equal({"settled"});
    pipeline.stop();
    pipeline.start();  // as the hint says
    pipeline.settle();
    pipeline.stop();
}
