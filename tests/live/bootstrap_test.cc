// replicator --bootstrap: a dump taken by the printed command is restored while writers run, and the stream goes on
// from there: no row is lost, and none comes twice.
#include "sql/error.h"
#include "tests/live/bootstrap_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/slow.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;

TEST_CASE("bootstrap: the printed pg_dump, restored, and the changes since then, are the source") {
    Bootstrap group;
    group.prepare();
    group.await_state("bootstrap    waiting for a dump of snapshot ");
    CHECK(contains(group.status({"--json"}).out, R"("bootstrap":{"state":"waiting","point":"0/)"));
    group.start_worker();
    CHECK(says(group.worker(), "waits until the target holds the dump"));
    group.writers->await(50);
    must_succeed(group.in_shell(group.printed()));
    group.await_state("bootstrap    accumulating what was committed since ");
    group.writers->await(50);
    must_succeed(group.in_shell(group.restore_command()));
    const auto restored = group.target_sum("visits");
    group.writers->await(50);
    CHECK(group.target_sum("visits") == restored);
    const Finished done = group.step("complete");
    must_succeed(done);
    CHECK(contains(done.out, "is streaming: its workers apply what was committed from "));
    CHECK(says(group.replicator(), "bootstrap: complete"));
    group.await_state("bootstrap    streaming, from a dump as of ");
    group.writers->await(50);
    group.check_same();
    CHECK(contains(run(group.command_argv("reader", {"tables"})).out, "copied"));
    group.stop();
    // As any other group, from then on.
    group.start({"--stream"});
    group.on_source("INSERT INTO visits VALUES (1, 'later')");
    group.check_equal(group.tables);
    group.stop();
}

TEST_CASE("bootstrap: a verb that does not fit is refused, and says in which state it would") {
    Bootstrap group;
    refusal(group.step_argv("complete"), "with --bootstrap prepare.");
    group.prepare();
    must_succeed(group.in_shell(group.printed()));
    must_succeed(group.in_shell(group.restore_command()));
    group.await_state("accumulating");
    const Finished again = group.step("accumulate");
    CHECK(again.code == 1);
    CHECK(contains(again.err, "HINT: Once the targets hold the dump: --bootstrap complete."));
    CHECK(contains(again.err, "is accumulating, and accumulate is for one that is waiting for a dump"));
    group.stop_replicator();
    const std::string hint = refusal(group.replicator_argv({"--bootstrap", "prepare"}), "--bootstrap complete.");
    CHECK(contains(hint, "--bootstrap prepare --resnapshot"));
    must_succeed(group.step("complete"));
    refusal(group.step_argv("complete"), "Nothing is left to do");
    group.start({"--stream"});
    group.check_same();
    group.stop_replicator();
    const Finished prepared = run(group.replicator_argv({"--bootstrap", "prepare"}));
    CHECK(prepared.code == 1);
    CHECK(contains(prepared.err, "is streaming, and prepare is for a group that has not begun"));
    group.stop_worker();
}

TEST_CASE("bootstrap: no table is rewritten before the dump has its locks, and any may be once it is taken") {
    Bootstrap group;
    const std::string rewrite =
        "SET lock_timeout = '300ms'; ALTER TABLE orders ALTER size TYPE text; ALTER TABLE orders ALTER id TYPE int";
    group.prepare();
    group.writers->stop();  // they would wait behind it
    CHECK_THROWS_WITH_AS(group.on_source(rewrite), doctest::Contains("lock timeout"), pgsluice::SqlError);
    must_succeed(group.in_shell(group.printed()));
    must_succeed(group.step("accumulate"));
    CHECK(says(group.replicator(), "bootstrap: accumulating; the snapshot as of "));
    CHECK(eventually("it may be rewritten", [&] {  // the snapshot's session ends after that is said
        try {
            group.on_source(rewrite);
            return true;
        } catch (const pgsluice::SqlError&) {
            return false;
        }
    }));
    group.kill_replicator();
}

TEST_CASE("bootstrap: another role's session that has the name of the dump's neither ends nor prolongs it") {
    Bootstrap group;
    group.prepare();
    auto options = shared_servers().source.connect(group.source_db());
    options.user = "stranger_" + group.source_db();
    group.on_source("CREATE ROLE " + options.user + " LOGIN");
    pgsluice::sql::Connection stranger(options);
    stranger.exec("SET application_name = 'pgsluice-dump-" + group.group() + "'");
    must_succeed(group.in_shell(group.printed()));
    group.await_state("bootstrap    accumulating");
    group.stop_replicator();
}

TEST_CASE("bootstrap: killed while it waits, the snapshot is lost, and the way out is said") {
    Bootstrap group;
    group.prepare();
    const std::string lost = group.printed();
    group.kill_replicator();
    group.await_state("waiting for a dump");
    CHECK(group.in_shell(lost).code != 0);  // no dump of that snapshot can begin any more
    const std::string hint = refusal(group.replicator_argv({}), "which makes a new slot and snapshot");
    refusal(group.replicator_argv({"--bootstrap", "prepare"}), "--bootstrap prepare --resnapshot.");
    CHECK(contains(hint, "--bootstrap accumulate"));
    group.prepare({"--resnapshot"});
    CHECK(group.printed() != lost);
    group.start_worker();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: killed while it waits, a dump that had begun is kept, as the hint says") {
    Bootstrap group;
    group.prepare();
    must_succeed(group.in_shell(group.printed()));
    group.kill_replicator();
    refusal(group.replicator_argv({}), "with --bootstrap accumulate, then again without --bootstrap.");
    must_succeed(group.step("accumulate"));
    group.start({"--stream"});
    group.writers->await(50);
    must_succeed(group.in_shell(group.restore_command()));
    must_succeed(group.step("complete"));
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: killed while it accumulates, and completed while it is down, it goes on") {
    Bootstrap group;
    group.prepare();
    group.start_worker();
    must_succeed(group.in_shell(group.printed()));
    must_succeed(group.step("accumulate"));
    group.await_state("accumulating");
    group.writers->await(50);
    group.kill_replicator();
    group.kill_worker();
    group.start();
    group.writers->await(50);
    must_succeed(group.in_shell(group.restore_command()));
    group.kill_replicator();
    must_succeed(group.step("complete"));
    group.writers->await(50);
    group.kill_worker();
    group.start();
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: killed at each place while it prepares, it is prepared again" * slow) {
    for (const std::string place :
         {"after-group", "bootstrap-announced", "after-slot", "after-record", "bootstrap-marked", "bootstrap-held"}) {
        CAPTURE(place);
        Bootstrap group;
        group.start_replicator({"--bootstrap", "prepare"}, {{"PGSLUICE_FAILPOINT", place}});
        group.must_die(group.replicator());
        group.kill_replicator();
        if (place == "bootstrap-held") {
            group.prepare({"--resnapshot"});
        } else {
            refusal(group.replicator_argv({}), "with --bootstrap prepare.");
            refusal(group.step_argv("complete"), "start it again with --bootstrap prepare.");
            group.prepare();
        }
        group.start_worker();
        group.dump_and_restore();
        must_succeed(group.step("complete"));
        group.check_same();
        group.stop();
    }
}

TEST_CASE("bootstrap: a running worker keeps a group from being prepared again, and one of before says what to do") {
    Bootstrap group;
    group.prepare();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.start_worker();
    group.settle();
    group.stop_replicator();
    refusal(group.replicator_argv({"--bootstrap", "prepare", "--resnapshot"}), "Stop the group's workers first.");
    group.stop_worker();
    group.on_target("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public");
    group.prepare({"--resnapshot"});
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.start_worker();
    const std::string hint = refusal(group.worker(), "remove what the worker remembers");
    group.on_target(said(hint, "DELETE FROM", "; a file worker"));
    group.start_worker();
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: a flag file completes it, and so does a command that takes and restores the dump itself") {
    Bootstrap group;
    const std::string flag = group.directory + "/restored";
    group.prepare({"--bootstrap-flag", flag});
    group.start_worker();
    group.dump_and_restore();
    group.writers->await(20);
    must_succeed(group.in_shell("touch restored"));
    CHECK(says(group.replicator(), "bootstrap: complete"));
    group.check_same();
    group.stop();

    Bootstrap by_command;
    const std::string programs = "PATH=" + postgres_programs() + ":$PATH; cd " + by_command.directory + " && ";
    by_command.start_worker();
    by_command.prepare(
        {"--bootstrap-command", programs +
                                    "if [ ! -e tried ]; then touch tried; echo not yet >&2; exit 3; fi; eval "
                                    "\"$BOOTSTRAP_DUMP\" && " +
                                    by_command.restore_command()});
    CHECK(says(by_command.replicator(), "failed and will be run again: not yet"));
    CHECK(says(by_command.replicator(), "bootstrap: complete"));
    by_command.check_same();
    by_command.stop();
}

TEST_CASE("bootstrap: what the command has started ends with the replicator") {
    Bootstrap group;
    const std::string lock = group.directory + "/lock";
    const auto is_locked = [&] { return run({"flock", "--nonblock", lock, "true"}).code != 0; };
    group.prepare({"--bootstrap-command", "flock " + lock + " sleep 1000; true"});  // waits where we just look
    CHECK(eventually("the command runs", is_locked));
    group.writers->stop();
    group.stop_replicator();
    CHECK(eventually("it has ended", [&] { return !is_locked(); }));
}

TEST_CASE("bootstrap: a NATS server that is away for a moment does not lose the snapshot") {
    NatsServer nats;
    Bootstrap group(PipelineServers{shared_servers().source, shared_servers().target, nats});
    group.prepare();
    nats.kill();
    CHECK(says(group.replicator(), "trying again"));
    nats.start();
    group.await_state("waiting for a dump");
    group.start_worker();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.settle();
    group.check_all_rows();
    group.stop();
}

TEST_CASE("bootstrap: the dump has no rows of tables that the group does not replicate") {
    Bootstrap group;
    group.on_source("CREATE TABLE secrets (t text); INSERT INTO secrets VALUES ('canary')");
    group.prepare({"--tables", "orders,visits,marks,events,settled"});
    CHECK(contains(group.printed(), "--exclude-table-data='\"public\".\"secrets\"'"));
    group.start_worker();
    group.dump_and_restore();
    CHECK(group.target_scalar("SELECT count(*) FROM secrets") == "0");
    must_succeed(group.step("complete"));
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: the dump may be loaded by pgsluice import") {
    Bootstrap group;
    group.prepare();
    must_succeed(group.in_shell(group.printed()));
    const std::string target = "='" + group.target_url() + "' ";
    const std::string dump = group.group() + ".dump";
    must_succeed(group.in_shell("pg_restore --schema-only --dbname" + target + dump));
    must_succeed(group.in_shell(PGSLUICE_BINARY " import postgres --dump " + dump + " --target-url" + target));
    must_succeed(group.step("complete"));
    group.start_worker();
    group.settle();
    group.writers->stop();
    group.check_equal(group.tables);
    must_succeed(run_compare(group));
    group.stop();
}

TEST_CASE("bootstrap: a worker with rules that hide says that a dump may have been loaded without them") {
    Bootstrap group;
    group.prepare();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    const pgsluice::rules_test::TextFile rules(
        "tables: {visits: [{type: transform, column: note, parameters: {type: redact}}]}");
    group.start_worker({"--rules-config", rules.path()});
    CHECK(says(group.worker(), "rules hide values only of what comes after it"));
    group.stop();
}
