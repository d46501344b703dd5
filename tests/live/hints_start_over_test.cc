// The hints that remove something or start a group over: each is followed to the letter, and the group then works.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/live/replicator_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

const std::vector<std::string> emptying{"--target-existing-rows", "truncate"};

struct Group : Pipeline {
    std::unique_ptr<Broker> broker = connect_broker();
    Names names = names_for(group());

    Group() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 100) i");
    }
    StreamSeq last_seq() { return broker->stream_state(names.stream).value().last_seq; }
    // Each in a message of its own.
    void insert_more(int messages = 1) {
        for (int i = 0; i < messages; ++i) {
            const auto before = last_seq();
            on_source("INSERT INTO t SELECT max(id) + 1, 'more' FROM t");
            CHECK(eventually("it is stored", [&] { return last_seq() > before; }));
        }
    }
    void start_over() {
        start_replicator({"--copy-and-stream", "--resnapshot"});
        CHECK(says(replicator(), "copying "));
        start_worker(emptying);
        check_works();
        stop();
        start();
        check_works();
        stop();
    }
    void check_works() {
        on_source("INSERT INTO t SELECT max(id) + 1, 'more' FROM t");
        check_equal({"t"});
    }
    [[nodiscard]] std::vector<std::string> copies() const { return replicator_argv({"--copy-and-stream"}); }
    // teardown, and both as at first: as recreate_group_hint says.
    void remove_and_begin(const std::string& hint) {
        run_said(*this, said(hint, "pgsluice teardown --yes", ","));
        CHECK(contains(hint, "start its replicator with --copy-and-stream"));
        CHECK(contains(hint, "postgres workers with --target-existing-rows truncate"));
        start_replicator();
        start_worker(emptying);
        check_works();
    }
};

}  // namespace

TEST_CASE("messages were deleted: the group is removed and begins again") {
    Group group;
    group.start();
    const std::string directory = temporary_directory("hints") + "/lines";
    const auto file_worker = [&](const std::string& where) {
        return group.worker_argv("file", {"--file-output-dir", where, "--exit-after-snapshot"});
    };
    CHECK(run(file_worker(directory)).code == 0);
    group.settle();
    group.stop_worker();
    group.insert_more(2);
    const auto middle = group.last_seq();
    group.insert_more(2);
    group.stop_replicator();
    group.broker->erase_message(group.names.stream, middle);
    const std::string part = "Stop all of the group and remove it with pgsluice teardown --yes";
    std::string hint;
    SUBCASE("the worker says so") { hint = refusal(group.worker_argv("postgres", {}), part); }
    SUBCASE("the replicator says so") { hint = refusal(group.copies(), part); }
    group.remove_and_begin(hint);
    CHECK(contains(hint, "file workers with an empty directory"));
    CHECK(run(file_worker(directory + "-empty")).code == 0);
    group.stop();
}

TEST_CASE("a worker whose messages are gone starts with a new snapshot") {
    Group group;
    group.start();
    group.settle();
    group.stop_worker();
    group.insert_more(3);
    group.broker->trim(group.names.stream, group.last_seq());
    const std::string hint =
        refusal(group.worker_argv("postgres", {}),
                "Run the replicator once with --copy-and-stream --resnapshot. Once it is copying, "
                "start this worker again, a postgres worker with --target-existing-rows truncate.");
    CHECK(contains(hint, "With a longer --stream-retain workers can join later."));
    group.stop_replicator();
    group.start_over();
}

TEST_CASE("what the replicator needs is gone: it starts over") {
    Group group;
    group.start();
    group.settle();
    group.stop();
    std::string part = "Run the replicator once with --copy-and-stream --resnapshot to copy group '" + group.group() +
                       "' again, or use another --group.";
    SUBCASE("the slot") { group.on_source("SELECT pg_drop_replication_slot('" + group.names.slot + "')"); }
    SUBCASE("the publication") { group.on_source("DROP PUBLICATION " + group.names.publication); }
    SUBCASE("the stream") {
        group.broker->delete_stream(group.names.stream);
        part = "The broker lost what it had stored. " + part;
    }
    refusal(group.copies(), part);
    group.start_over();
}

TEST_CASE("a group that was removed without what its worker remembers") {
    Group group;
    group.start();
    const std::string directory = temporary_directory("hints") + "/lines";
    const auto file_worker = [&](const std::string& where) {
        return group.worker_argv("file", {"--file-output-dir", where, "--exit-after-snapshot"});
    };
    CHECK(run(file_worker(directory)).code == 0);
    group.settle();
    group.stop();
    run_said(group, "env -u PGSLUICE_TARGET_URL pgsluice teardown --yes");
    group.start_replicator();
    group.await_stream();
    // Nothing that the new group needs may be removed on this way out.
    const std::string part =
        "Point the worker at its own group and NATS server, a file worker also at an empty directory. Or: Run the "
        "replicator once with --copy-and-stream --resnapshot.";
    SUBCASE("a new snapshot") {
        refusal(group.worker_argv("postgres", {}), part);
        group.stop_replicator();
        group.start_over();
    }
    SUBCASE("an empty directory") {
        refusal(file_worker(directory), part);
        CHECK(run(file_worker(directory + "-empty")).code == 0);
        group.stop_replicator();
    }
}

TEST_CASE("another group instead of the one that cannot continue") {
    Group group;
    group.start();
    group.settle();
    group.stop();
    group.on_source("DROP PUBLICATION " + group.names.publication);
    refusal(group.copies(), "or use another --group.");
    const auto other = [&](std::vector<std::string> argv) {
        *(std::ranges::find(argv, "--group") + 1) = group.group() + "_b";
        return argv;
    };
    Process replicator({.argv = other(group.copies())});
    auto worker_argv = other(group.worker_argv("postgres", emptying));
    worker_argv.push_back("--exit-after-snapshot");
    CHECK(run(worker_argv).code == 0);
    CHECK(group.source_rows("t") == group.target_rows("t"));
    replicator.signal(SIGTERM);
    CHECK(replicator.wait() == 0);
    group.on_source("SELECT pg_drop_replication_slot('" + group.names.slot + "_b')");
}

TEST_CASE("a group of another source") {
    Group group;
    group.start();
    group.settle();
    group.stop();
    group.on_source("SELECT pg_drop_replication_slot('" + group.names.slot + "')");
    Group other;
    auto argv = other.replicator_argv({"--copy-and-stream"});
    *(std::ranges::find(argv, "--group") + 1) = group.group();
    refusal(argv, "Connect to the source the group began with. Run the replicator once with");
}

TEST_CASE("a snapshot that is unfinished, or complete already") {
    Group group;
    group.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", "before-snapshot-end"}});
    Pipeline::must_die(group.replicator());
    refusal(group.replicator_argv({"--stream"}),
            "Start it with --copy-and-stream (or --copy), which takes the snapshot again.");
    group.start();
    group.settle();
    group.check_works();
    group.stop();
    refusal(group.replicator_argv({"--copy"}), "Use another --group, or add --resnapshot to start this one over.");
    CHECK(run(group.replicator_argv({"--copy", "--resnapshot"})).code == 0);
    group.start_worker({"--target-existing-rows", "truncate", "--exit-after-snapshot"});
    CHECK(group.worker().wait() == 0);
    CHECK(group.source_rows("t") == group.target_rows("t"));
}

TEST_CASE("a slot of the group's name that is another's") {
    Group group;
    std::string database = group.source_db();
    std::string plugin = "test_decoding";
    SUBCASE("of another plugin") {}
    SUBCASE("of another database") {
        database = shared_postgres().create_database();
        plugin = "pgoutput";
    }
    shared_postgres().sql(
        database, fmt::format("SELECT pg_create_logical_replication_slot('{}', '{}')", group.names.slot, plugin));
    const std::string part = "If nothing needs the slot any more, drop it in the database that it is of: ";
    const std::string hint = refusal(group.copies(), "Choose another --group. " + part);
    auto teardown = group.copies();
    teardown[1] = "teardown";
    teardown.back() = "--yes";
    refusal(teardown, "Give the source database of this group. " + said(hint, part));
    shared_postgres().sql(database, said(hint, "SELECT pg_drop_replication_slot(", "."));
    group.start();
    group.check_works();
    group.stop();
}

TEST_CASE("a walsender that is left on the slot") {
    Group group;
    group.start();
    group.settle();
    group.stop();
    Process reader({.argv = {"/usr/bin/env", "pg_recvlogical", "--dbname", shared_postgres().url(group.source_db()),
                             "--slot", group.names.slot, "--start", "--option=proto_version=1",
                             "--option=publication_names=" + group.names.publication, "--file=-", "--no-loop"},
                    .stdout_file = "/dev/null"});
    const std::string active = "SELECT active FROM pg_replication_slots WHERE slot_name = '" + group.names.slot + "'";
    REQUIRE(eventually("the slot is in use", [&] { return group.source_scalar(active) == "t"; }));
    auto argv = group.copies();
    argv.insert(argv.end(), {"--retry-max-attempts", "0"});
    const std::string hint =
        refusal(argv, "Run one replicator per group; stop the other one first. If it is gone, run ");
    group.on_source(said(hint, "SELECT pg_terminate_backend(", " on the source"));
    group.start();
    group.check_works();
    group.stop();
}

TEST_CASE("a stream of the group's name that is kept in memory") {
    Group group;
    ask_jetstream(*group.broker, "$JS.API.STREAM.CREATE." + group.names.stream,
                  fmt::format(R"({{"name":"{}","subjects":["{}","{}"],"retention":"limits","num_replicas":1,)"
                              R"("discard":"new","storage":"memory"}})",
                              group.names.stream, group.names.snapshot_subject, group.names.changes_subject));
    const std::string hint = refusal(group.copies(), "and start again");
    const std::string command = "nats stream rm ";
    group.broker->delete_stream(said(hint, command, " --force").substr(command.size()));  // as the command does
    group.start();
    group.check_works();
    group.stop();
}

TEST_CASE("a filter that cannot be answered for an update") {
    const TextFile rules("tables: {t: [{type: filter, column: v, parameters: {operator: contains, value: x}}]}");
    Group group;
    group.on_source(
        "ALTER TABLE t ADD n int; ALTER TABLE t ALTER v SET STORAGE EXTERNAL;"
        "UPDATE t SET v = repeat('x', 10000) WHERE id = 1");
    group.on_target("ALTER TABLE t ADD n int");
    group.start_replicator();
    group.start_worker({"--rules-config", rules.path()});
    group.settle();
    group.on_source("UPDATE t SET n = 7 WHERE id = 1");
    const std::string hint = refusal(group.worker(), "so that later updates carry what the filter needs.");
    group.on_source(said(hint, "ALTER TABLE ", " on the source"));
    group.stop_replicator();
    group.kill_worker();
    run_said(group, said(hint, "pgsluice teardown --yes", " and start it again with --copy-and-stream"));
    group.start_replicator();
    group.start_worker({"--rules-config", rules.path(), "--target-existing-rows", "truncate"});
    group.on_source("UPDATE t SET n = 8 WHERE id = 1");
    group.settle();
    CHECK(group.target_scalar("SELECT n FROM t WHERE id = 1") == "8");
    group.stop();
}
