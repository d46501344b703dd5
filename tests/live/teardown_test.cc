// pgsluice teardown on a real source, NATS and target.
#include <doctest/doctest.h>

#include <csignal>

#include "cmd/commands/teardown.h"
#include "replicator/source/group_lock.h"
#include "replicator/source/session.h"
#include "sinks/postgres/progress.h"
#include "stream/group/registry.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const Names names = names_for("tear-down");

// A group as a replicator and a worker leave it.
struct Group {
    std::string source = shared_postgres().create_database();
    std::string target = shared_postgres().create_database();

    Group() {
        shared_postgres().sql(source, "CREATE PUBLICATION pgsluice_tear_down");
        shared_postgres().sql(source, "SELECT pg_create_logical_replication_slot('pgsluice_tear_down', 'pgoutput')");
        const auto broker = connect_broker();
        broker->ensure_stream(names, {});
        broker->kv_put(names, "lsn", "0/1");
        sql::Connection connection(shared_postgres().connect(target));
        PostgresProgress(connection, names.group, "postgres").open(1000);
        PostgresProgress(connection, "another", "postgres").open(1000);
    }
    ~Group() {
        shared_postgres().sql(source,
                              "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = "
                              "'pgsluice_tear_down'");
    }

    [[nodiscard]] Finished teardown(const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{PGSLUICE_BINARY, "teardown", "--group", "tear-down"};
        for (const std::string& word :
             {std::string("--nats-url"), shared_nats().url(), std::string("--source-url"),
              shared_postgres().url(source), std::string("--target-url"), shared_postgres().url(target)}) {
            words.push_back(word);
        }
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    [[nodiscard]] std::string slots() const {
        return shared_postgres().scalar(
            source, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgsluice_tear_down'");
    }
    [[nodiscard]] std::string groups_with_progress() const {
        return shared_postgres().scalar(target, "SELECT string_agg(\"group\", ',') FROM pgsluice.progress");
    }
};

}  // namespace

TEST_CASE("teardown lists first, then removes, and may be repeated") {
    const Group group;
    const Finished listed = group.teardown();
    INFO(listed.err);
    CHECK(listed.code == 0);
    for (const char* what :
         {"slot 'pgsluice_tear_down'", "publication 'pgsluice_tear_down'", "stream 'pgsluice_tear_down'",
          "KV bucket 'pgsluice_tear_down'", "progress of worker 'postgres'", "--yes"}) {
        CHECK_MESSAGE(contains(listed.out, what), what);
    }
    CHECK(group.slots() == "1");

    const Finished status = run({PGSLUICE_BINARY, "status", "--raw", "--group", "tear-down", "--nats-url",
                                 shared_nats().url(), "--source-url", shared_postgres().url(group.source)});
    INFO(status.err);
    CHECK(status.code == 0);
    for (const char* what :
         {"stream 'pgsluice_tear_down': 0 messages", "lsn: 0/1\n", "slot 'pgsluice_tear_down': confirmed up to 0/"}) {
        CHECK_MESSAGE(contains(status.out, what), status.out);
    }

    const Finished removed = group.teardown({"--yes"});
    INFO(removed.err);
    CHECK(removed.code == 0);
    CHECK(group.slots() == "0");
    CHECK(shared_postgres().scalar(group.source, "SELECT count(*) FROM pg_publication") == "0");
    CHECK(group.groups_with_progress() == "another");
    const auto broker = connect_broker();
    CHECK_FALSE(broker->stream_state(names.stream));
    CHECK_FALSE(broker->kv_get(names, "lsn"));

    const Finished again = group.teardown({"--yes"});
    CHECK(again.code == 0);
    CHECK(again.out == "group 'tear_down' has nothing left\n");
}

TEST_CASE("a worker that will not come back is shown, and forgotten once") {
    const Group group;
    const auto broker = connect_broker();
    WorkerEntry entry;
    entry.name = "gone";
    entry.sink = "file";
    entry.durable.resume_seq = StreamSeq{3};
    WorkerRegistry registry(*broker, names);
    registry.report(entry);
    const auto pgsluice_says = [&](std::vector<std::string> words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", "tear-down", "--nats-url", shared_nats().url()});
        return run(words);
    };
    CHECK(contains(pgsluice_says({"status", "--raw"}).out,
                   "worker 'gone' (file): applied up to 0/0:0, needs the stream from message 3"));
    registry.report(entry);  // a moment ago, however long that took
    const Finished running = pgsluice_says({"forget", "--worker-name", "gone"});
    CHECK(running.code == 1);
    CHECK(contains(running.err, "unable to forget worker 'gone': it last reported "));
    CHECK(contains(running.err, " s ago, so it is running"));
    CHECK(contains(running.err, "HINT: Stop it first."));
    CHECK(registry.find("gone"));
    registry.leave("gone");
    CHECK(pgsluice_says({"forget", "--worker-name", "gone"}).code == 0);
    CHECK_FALSE(contains(pgsluice_says({"status", "--raw"}).out, "gone"));
    const Finished again = pgsluice_says({"forget", "--worker-name", "gone"});
    CHECK(again.code == 1);
    CHECK(contains(again.err, "unable to forget worker 'gone': group 'tear_down' has no worker of that name"));
}

TEST_CASE("one that was killed can be forgotten after a while") {
    const Group group;
    const auto broker = connect_broker();
    WorkerRegistry registry(*broker, names);
    WorkerEntry entry;
    entry.name = "killed";
    entry.sink = "file";
    registry.report(entry);
    entry = registry.find("killed").value();
    REQUIRE_FALSE(entry.session.empty());
    entry.reported_us -= 11'000'000;
    broker->kv_put(names, "worker.killed", encode(entry));
    CHECK(run({PGSLUICE_BINARY, "forget", "--worker-name", "killed", "--group", "tear-down", "--nats-url",
               shared_nats().url()})
              .code == 0);
    CHECK_FALSE(registry.find("killed"));
}

TEST_CASE("teardown refuses while a replicator holds the group's lock, though it has no slot yet") {
    const Group group;
    shared_postgres().sql(group.source, "SELECT pg_drop_replication_slot('pgsluice_tear_down')");
    std::optional<sql::Connection> replicator(shared_postgres().connect(group.source));
    std::optional<GroupLock> lock(std::in_place, *replicator, names.slot);
    const Finished refused = group.teardown({"--yes"});
    CHECK(refused.code != 0);
    CHECK(contains(refused.err, "another replicator of the group is running (server process "));
    CHECK(contains(refused.err, "HINT: "));
    CHECK(shared_postgres().scalar(group.source, "SELECT count(*) FROM pg_publication") == "1");
    CHECK(group.groups_with_progress() == "tear_down,another");
    CHECK(connect_broker()->stream_state(names.stream));
    lock.reset();
    replicator.reset();
    CHECK(group.teardown({"--yes"}).code == 0);
}

TEST_CASE("teardown refuses while the replicator runs, and removes nothing") {
    const Group group;
    Process reader({.argv = {"/usr/bin/env", "pg_recvlogical", "--dbname", shared_postgres().url(group.source),
                             "--slot", "pgsluice_tear_down", "--start", "--option=proto_version=1",
                             "--option=publication_names=pgsluice_tear_down", "--file=-"},
                    .environment = {},
                    .stdout_file = "/dev/null",
                    .run_as = 0});
    REQUIRE(eventually("the slot is in use", [&] {
        return shared_postgres().scalar(
                   group.source, "SELECT active FROM pg_replication_slots WHERE slot_name = 'pgsluice_tear_down'") ==
               "t";
    }));
    const Finished refused = group.teardown({"--yes"});
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "error: unable to drop slot 'pgsluice_tear_down': process "));
    CHECK(contains(refused.err, "HINT: Stop the group's replicator first."));
    CHECK(group.groups_with_progress() == "tear_down,another");
    reader.signal(SIGTERM);
    reader.wait();
    CHECK(eventually("the slot is free", [&] {
        return shared_postgres().scalar(
                   group.source, "SELECT active FROM pg_replication_slots WHERE slot_name = 'pgsluice_tear_down'") ==
               "f";
    }));
}

TEST_CASE("teardown where the source is gone: another database in its place") {
    Group group;
    shared_postgres().sql(group.source, "SELECT pg_drop_replication_slot('pgsluice_tear_down')");
    group.source = group.target;
    const Finished removed = group.teardown({"--yes"});
    INFO(removed.err);
    CHECK(removed.code == 0);
    CHECK(group.groups_with_progress() == "another");
    const auto broker = connect_broker();
    CHECK_FALSE(broker->stream_state(names.stream));
    CHECK_FALSE(broker->kv_get(names, "lsn"));
}
