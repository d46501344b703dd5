// The hints of the commands: each is followed to the letter, and the command then works.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Words = std::vector<std::string>;

struct Group : Pipeline {
    Group() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t VALUES (1, 'one')");
    }
    void begin(const Words& worker_flags = {}) {
        start_replicator();
        start_worker(worker_flags);
        settle();
    }
    [[nodiscard]] Words command(Words words) const {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group(), "--nats-url", shared_nats().url()});
        return words;
    }
    // With its flags, to the target.
    [[nodiscard]] Words on_the_target(Words words) const {
        words.insert(words.end(), {"--target-url", shared_postgres().url(target_db())});
        return command(std::move(words));
    }
};

void check_succeeds(const Words& argv) {
    const Finished done = run(argv);
    INFO(done.err);
    CHECK(done.code == 0);
}

}  // namespace

TEST_CASE("compare: which worker, whether it runs, and where it writes") {
    Group group;
    group.begin({"--worker-name", "pg"});
    refusal(compare_argv(group), "Give its --worker-name. See the group's workers with pgsluice status.");
    CHECK(contains(run(group.command({"status"})).out, "worker 'pg' (postgres)"));
    check_succeeds(compare_argv(group, {"--worker-name", "pg"}));

    CHECK(run(group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"})).code == 0);
    refusal(compare_argv(group, {"--worker-name", "lines"}),
            "Only what a postgres worker wrote can be compared; give its --worker-name.");
    refusal(compare_argv(group, {"--worker-name", "pg", "--tables", "u"}), "Correct --tables.");
    check_succeeds(compare_argv(group, {"--worker-name", "pg", "--tables", "t"}));

    Words elsewhere = compare_argv(group, {"--worker-name", "pg"});
    *(std::ranges::find(elsewhere, "--target-url") + 1) = shared_postgres().url(group.source_db());
    refusal(elsewhere, "Give the --target-url that the worker has.");
    Words other_source = compare_argv(group, {"--worker-name", "pg"});
    *(std::ranges::find(other_source, "--source-url") + 1) = shared_postgres().url(group.target_db());
    refusal(other_source, "Give the source and the group of the replicator.");

    group.stop_worker();
    refusal(compare_argv(group, {"--worker-name", "pg"}),
            "Start it: it has to say when the target is at the source's LSN.");
    group.start_worker({"--worker-name", "pg"});
    group.settle();
    check_succeeds(compare_argv(group, {"--worker-name", "pg"}));
    group.stop();
}

TEST_CASE("compare: rows that differ") {
    Group group;
    group.begin();
    group.on_target("UPDATE t SET v = 'changed'");
    refusal(compare_argv(group), "The rows are listed above; --repair writes them again.");
    check_succeeds(compare_argv(group, {"--repair"}));
    check_succeeds(compare_argv(group));
    group.stop();
}

TEST_CASE("a worker's name that another kind of sink has") {
    Group group;
    group.start_replicator();
    const auto worker = [&](const std::string& sink, const std::string& name) {
        Words flags{"--worker-name", name, "--exit-after-snapshot"};
        if (sink == "file") flags.insert(flags.end(), {"--file-output-dir", temporary_directory("hints-name")});
        return group.worker_argv(sink, flags);
    };
    check_succeeds(worker("stdout", "lines"));
    const std::string hint = refusal(worker("file", "lines"), "Give this one its own --worker-name.");
    SUBCASE("a name of its own") { check_succeeds(worker("file", "files")); }
    SUBCASE("the other is removed") {
        run_said(group, said(hint, "pgsluice forget "));
        check_succeeds(worker("file", "lines"));
    }
    group.stop_replicator();
}

TEST_CASE("a worker's name that is running") {
    Group group;
    group.begin();
    Words second = group.worker_argv("postgres", {"--retry-max-attempts", "0"});
    refusal(second, "--worker-name.");
    group.stop_worker();
    second.push_back("--exit-after-snapshot");
    check_succeeds(second);
    second.insert(second.end(), {"--worker-name", "second", "--target-existing-rows", "truncate"});
    check_succeeds(second);
    group.stop_replicator();
}

TEST_CASE("forget: who runs, and who is not there") {
    Group group;
    group.begin();
    refusal(group.command({"forget", "--worker-name", "postgres"}), "Stop it first.");
    refusal(group.command({"forget", "--worker-name", "other"}), "See the group's workers with pgsluice status.");
    CHECK(contains(run(group.command({"status"})).out, "worker 'postgres' (postgres)"));
    group.stop_worker();
    check_succeeds(group.command({"forget", "--worker-name", "postgres"}));
    group.stop_replicator();
}

TEST_CASE("resnapshot: a table that is not there, and a group without a record") {
    Group group;
    refusal(group.command({"resnapshot", "--tables", "t"}), "Start the group's replicator: it makes the record.");
    group.begin();
    check_succeeds(group.command({"resnapshot", "--tables", "t"}));
    refusal(group.command({"resnapshot", "--tables", "u"}), "See the group's tables with pgsluice tables.");
    refusal(group.command({"resnapshot", "--tables", "u*"}), "See the group's tables with pgsluice tables.");
    CHECK(contains(run(group.command({"tables"})).out, "public.t"));
    group.stop();
}

TEST_CASE("teardown while the replicator runs") {
    Group group;
    group.begin();
    group.stop_worker();
    Words teardown = group.on_the_target({"teardown", "--yes"});
    teardown.insert(teardown.end(), {"--source-url", shared_postgres().url(group.source_db())});
    refusal(teardown, "Stop the group's replicator first.");
    group.stop_replicator();
    check_succeeds(teardown);
}

TEST_CASE("dlq replay: where to, and of whom") {
    Group group;
    group.on_target("ALTER TABLE t ADD CHECK (v <> 'bad')");
    group.begin({"--on-error", "dead-letter"});
    group.on_source("INSERT INTO t VALUES (2, 'bad')");
    group.settle();
    group.stop_worker();
    group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    const auto replay = [&](const std::string& worker) { return Words{"dlq", "replay", "--worker-name", worker}; };
    Words elsewhere = group.command(replay("postgres"));
    elsewhere.insert(elsewhere.end(), {"--webhook-url", "http://127.0.0.1:1/"});
    const Finished without = run(elsewhere);
    CHECK(without.code == 2);
    CHECK(hint_in(without.err) == "Give --target-url.");
    refusal(group.on_the_target(replay("other")),
            "Give the target and the --worker-name of the worker that parked the changes.");
    check_succeeds(group.on_the_target(replay("postgres")));
    CHECK(group.target_rows("t") == group.source_rows("t"));
    group.stop_replicator();
}

TEST_CASE("dlq replay of a webhook worker") {
    Group group;
    group.start_replicator();
    {
        Process killed({.argv = group.worker_argv("webhook", {"--webhook-url", "http://127.0.0.1:1/"})});
        CHECK(says(killed, "reads stream"));
    }
    const Words replay{"dlq", "replay", "--worker-name", "webhook"};
    const Finished without = run(group.on_the_target(replay));
    CHECK(without.code == 2);
    CHECK(hint_in(without.err) == "Give --webhook-url.");
    Words with = group.command(replay);
    with.insert(with.end(), {"--webhook-url", "http://127.0.0.1:1/"});
    check_succeeds(with);
    group.stop_replicator();
}

TEST_CASE("a message in the dead letters that another program wrote") {
    Group group;
    group.on_target("ALTER TABLE t ADD CHECK (v <> 'bad')");
    group.begin({"--on-error", "dead-letter"});
    group.on_source("INSERT INTO t VALUES (2, 'bad')");
    group.settle();
    const Names names = names_for(group.group());
    connect_broker()->publish_one(names.dead_letter_subject, "hello", {{"Pgsluice-Worker", "postgres"}});
    group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    group.stop_worker();
    const Words replay = group.on_the_target({"dlq", "replay", "--worker-name", "postgres"});
    const std::string hint =
        refusal(replay, "Run pgsluice repair to see such messages, and with --yes to remove them.");
    CHECK(contains(run_said(group, said(hint, "pgsluice repair", " to see")).out, "would remove message 2"));
    run_said(group, said(hint, "pgsluice repair", " to see") + " --yes");
    check_succeeds(replay);
    group.stop_replicator();
}

TEST_CASE("sequences: of which worker") {
    Group group;
    group.begin();
    group.stop();
    Words words = group.on_the_target({"sequences"});
    words.erase(std::ranges::find(words, "--nats-url"), std::ranges::find(words, "--nats-url") + 2);
    Words other = words;
    other.insert(other.end(), {"--worker-name", "other"});
    refusal(other, "Give the group, the target and, if any, the --worker-name of a postgres worker.");
    check_succeeds(words);
}

TEST_CASE("check rules: files that do not fit") {
    Group group;
    const auto check = [&](const TextFile& rules) {
        return Words{PGSLUICE_BINARY,  "check",     "rules", "--source-url", shared_postgres().url(group.source_db()),
                     "--rules-config", rules.path()};
    };
    const TextFile wrong("tables: {t: [{type: exclude_column, column: w}]}");
    const Finished refused = run(check(wrong));
    CHECK(refused.code != 0);
    CHECK(hint_in(refused.err) == "Each is an error above; correct the files, or check them against another source.");
    const TextFile right("tables: {t: [{type: exclude_column, column: v}]}");
    check_succeeds(check(right));
}

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("dlq replay in the middle of a snapshot") {
    Group group;
    group.on_source("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(2, 5000) i");
    group.start_replicator();
    CHECK(says(group.replicator(), "tables complete"));
    group.start_worker({"--target-copy-workers", "1"}, {{"PGSLUICE_FAILPOINT", "postgres-load-after-commit"}});
    Pipeline::must_die(group.worker());
    const Words replay = group.on_the_target({"dlq", "replay", "--worker-name", "postgres"});
    refusal(replay, "Start the worker, let it finish the snapshot, and stop it.");
    group.start_worker();
    group.settle();
    group.stop_worker();
    check_succeeds(replay);
    group.stop_replicator();
}
#endif
