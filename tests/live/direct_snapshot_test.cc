// A worker reads the snapshot's rows from the source itself, and only changes come through the stream.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "sql/connection.h"
#include "tests/support/direct_group.h"
#include "tests/support/hint.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Flags = std::vector<std::string>;

std::string held(DirectGroup& group) {
    return group.source_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND "
        "backend_xmin IS NOT NULL AND datname = current_database()");
}

}  // namespace

TEST_CASE("direct: rows come from the source and changes through the stream, as the tables are") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.make_tables();
    group.start_direct_replicator();
    REQUIRE(says(group.replicator(), "for a postgres worker that is started with --snapshot direct"));
    group.change(1);  // before the worker is there
    group.start_direct_worker();
    group.change(2);
    group.check_equal(DirectGroup::tables());
    CHECK(group.messages("copy") == 0);
    CHECK(group.messages("snapshot-begin") == 1);
    CHECK(group.messages("snapshot-end") == 1);
    CHECK(held(group) == "0");
    CHECK(group.target_scalar("SELECT count(*) FROM pgsluice.loaded") == "0");

    const Finished tables = run(group.command_argv("viewer", {"tables"}));
    INFO(tables.out);
    CHECK(contains(tables.out, "copied  8000"));
    must_succeed(run(group.command_argv(
        "operator", {"compare", "--source-url", group.source_url(), "--target-url", group.target_url()})));
    group.stop();
}

TEST_CASE("direct: status shows how far it is, and that it is complete") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.make_tables();
    group.start_direct_replicator();
    REQUIRE(says(group.replicator(), "--snapshot direct"));
    const auto share = [&] { return group.broker->kv_get(group.names(), "snapshot").value_or(KvValue{}).text; };
    CHECK(eventually("nothing is loaded", [&] { return contains(share(), R"("tables_done":0)"); }));
    group.start_direct_worker();
    CHECK(eventually("all is loaded", [&] { return contains(share(), R"("complete":true)"); }));
    CHECK(contains(share(), R"("share":1.000)"));
    group.stop();
}

TEST_CASE("direct: rules, a tenant's column and routes hold, with two loaders") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_source(R"(CREATE TABLE people (id int PRIMARY KEY, email text);
                       INSERT INTO people SELECT i, 'canary' || i FROM generate_series(1, 3000) i;
                       CREATE TABLE plain (id int PRIMARY KEY, v text);
                       INSERT INTO plain SELECT i, 'v' || i FROM generate_series(1, 3000) i)");
    group.on_target(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "CREATE TABLE moved (tenant text, id int, v text, PRIMARY KEY (tenant, id))");
    const TextFile rules(R"(
tables:
  people:
    - type: filter
      column: id
      parameters: {operator: gte, value: 1001, allow_empty_deletes: true}
    - type: transform
      column: email
      parameters: {type: regex, pattern: canary, replace: masked}
)");
    const TextFile routes(R"(
tables:
  plain: {to: moved, columns: {tenant: alpha}}
)",
                          "routing.yaml");
    group.start_direct_replicator({"--copy-and-stream", "--tables", "people,plain,settled"});
    group.start_direct_worker(
        {"--rules-config", rules.path(), "--routing-config", routes.path(), "--target-copy-workers", "2"});
    group.on_source("INSERT INTO people VALUES (4000, 'canary4000'), (-1, 'canary')");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) || ' ' || min(id) FROM people") == "2001 1001");
    CHECK(group.target_scalar("SELECT count(*) FROM people WHERE email LIKE 'masked%'") == "2001");
    CHECK(group.target_scalar("SELECT count(*) || ' ' || min(tenant) || ' ' || sum(id) FROM moved") ==
          "3000 alpha 4501500");
    group.stop();
}

TEST_CASE("direct: rows that are there are refused, or emptied, or written over, as in any copy") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t SELECT i, 'source' FROM generate_series(1, 3000) i");
    group.on_target("INSERT INTO t VALUES (1, 'target'), (5000, 'target')");
    group.start_direct_replicator();
    const Finished refused = run(group.worker_argv("postgres", group.direct()));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "already holds rows in"));
    std::string expected = "3000 0";
    SUBCASE("emptied") { group.start_direct_worker({"--target-existing-rows", "truncate"}); }
    SUBCASE("written over") {
        expected = "3001 1";
        group.start_direct_worker({"--target-existing-rows", "keep"});
    }
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) || ' ' || count(*) FILTER (WHERE v = 'target') FROM t") == expected);
    group.stop();
}

TEST_CASE("direct: a history has its first versions") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_source(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM "
        "generate_series(1, 3000) i");
    group.on_target("CREATE SCHEMA h");
    const TextFile routes("tables: {t: {to: h.t, mode: history}}", "routing.yaml");
    group.start_direct_replicator();
    group.start_direct_worker({"--routing-config", routes.path(), "--target-sync-schema"});
    REQUIRE(says(group.replicator(), "--snapshot direct"));
    group.on_source("UPDATE t SET v = 'changed' WHERE id <= 10");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) || ' ' || count(*) FILTER (WHERE v = 'changed') FROM h.t") == "3010 10");
    group.stop();
}

TEST_CASE("direct: a worker without the flag, a second one and one for lines are refused, and the hints work") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    group.on_source("INSERT INTO t SELECT i FROM generate_series(1, 3000) i");
    group.start_direct_replicator();
    const std::string part = "The postgres worker that is to load it needs --snapshot direct and --source-url";
    refusal(group.worker_argv("postgres", {}), part);
    refusal(group.worker_argv("stdout", {}), part);
    group.start_direct_worker();
    group.check_equal({"t"});

    const std::string database = shared_servers().target.create_database();
    shared_servers().target.sql(database, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE settled (mark int)");
    Flags second = group.worker_argv("postgres", group.direct({"--worker-name", "second"}));
    *std::find(second.begin(), second.end(), group.target_url()) = shared_servers().target.url(database);
    const Finished refused = run(second);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "worker 'postgres' loads it; only one can"));
    CHECK(contains(refused.err, "HINT: Run the replicator once with --copy-and-stream --resnapshot."));

    // As the hint says.
    group.stop_replicator();
    group.stop_worker();
    group.start_replicator({"--copy-and-stream", "--resnapshot", "--snapshot", "stream"});
    REQUIRE(says(group.replicator(), "copying 2 tables"));
    const Finished lines = run(group.worker_argv("stdout", {"--exit-after-snapshot"}));
    must_succeed(lines);
    CHECK(count(lines.out, R"("Table":"t")") == 3001);  // and one in the line that the copy begins with
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("direct: rules of the replicator are refused, and given to the worker they hold") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t VALUES (1, 'canary')");
    const TextFile rules("tables: {t: [{type: transform, column: v, parameters: {type: mask}}]}");
    const Finished refused =
        run(group.replicator_argv({"--copy-and-stream", "--snapshot", "direct", "--rules-config", rules.path()}));
    CHECK(refused.code == 2);
    CHECK(contains(refused.err,
                   "Leave --snapshot direct out, so that the rows come through the stream. Or give the rules to the "
                   "worker"));
    group.start_direct_replicator();
    group.start_direct_worker({"--rules-config", rules.path()});
    group.settle();
    CHECK(group.target_scalar("SELECT v FROM t") == "c****y");
    group.stop();
}

TEST_CASE("direct: a row that the target refuses stops the worker, and the way out is one") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 3000) i");
    group.on_target("ALTER TABLE t ADD CONSTRAINT small CHECK (id < 2500)");
    group.start_direct_replicator();
    group.start_direct_worker();
    const std::string hint = refusal(group.worker(), "Change what refuses it on the target (the message names it)");
    CHECK_FALSE(contains(hint, "dead-letter"));
    CHECK(contains(group.worker().err(), "unable to load rows into 'public.t'"));
    group.kill_worker();
    group.on_target("ALTER TABLE t DROP CONSTRAINT small");
    group.start_direct_worker();
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("direct: another database as the source is refused") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    group.on_source("INSERT INTO t VALUES (1)");
    group.start_direct_replicator();
    refusal(group.worker_argv("postgres", {"--snapshot", "direct", "--source-url", group.target_url()}),
            "Give --source-url of the database that the replicator reads.");
    group.start_direct_worker();
    group.check_equal({"t"});
    group.stop();
}

namespace {

// The target, with a lock that keeps a loader from the end. Not of the table: the look for rows in the way needs that.
struct HeldUp : DirectGroup {
    HeldUp() {
        make_tables();
        on_target(
            "CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM "
            "pg_advisory_xact_lock_shared(4711); RETURN NULL; END'; CREATE TRIGGER held_up BEFORE INSERT ON keyless "
            "FOR EACH STATEMENT EXECUTE FUNCTION held_up(); ALTER TABLE keyless ENABLE ALWAYS TRIGGER held_up");
        lock.emplace(shared_postgres().connect(target_db()));
        lock->exec("SELECT pg_advisory_lock(4711)");
        start_direct_replicator();
    }
    void await_a_part() {
        CHECK(eventually("a part is loaded", [&] {
            return target_scalar("SELECT to_regclass('pgsluice.loaded') IS NOT NULL") == "t" &&
                   target_scalar("SELECT count(*) > 3 FROM pgsluice.loaded") == "t";
        }));
    }
    std::optional<sql::Connection> lock;
};

}  // namespace

TEST_CASE("direct: a worker that is stopped in the middle ends, and the next one continues") {
    if (hardened_by_environment()) return;
    HeldUp group;
    group.start_direct_worker();
    group.await_a_part();
    group.stop_worker();
    group.lock.reset();
    group.change(1);
    group.start_direct_worker();
    group.check_equal(DirectGroup::tables());
    CHECK(group.messages("snapshot-begin") == 1);
    group.stop();
}

TEST_CASE("direct: rules that change in the middle hold for all rows") {
    if (hardened_by_environment()) return;
    HeldUp group;
    const TextFile rules(
        "tables: {keyed: [{type: transform, column: pad, parameters: {type: constant, value: first}}]}");
    group.start_direct_worker({"--rules-config", rules.path()});
    group.await_a_part();
    std::ofstream(rules.path())
        << "tables: {keyed: [{type: transform, column: pad, parameters: {type: constant, value: "
           "second}}]}";
    group.worker().signal(SIGHUP);
    REQUIRE(says(group.worker(), "SIGHUP: the rules and routing files were read again"));
    group.lock.reset();
    group.settle();
    CHECK(group.target_scalar("SELECT string_agg(DISTINCT pad, ' ') FROM keyed") == "second");
    CHECK(group.source_scalar("SELECT count(*) FROM keyed") == group.target_scalar("SELECT count(*) FROM keyed"));
    CHECK(group.source_sum("keyless") == group.target_sum("keyless"));
    group.stop();
}

// It waits for the replicator's lock, and the worker's sessions would queue after it.
TEST_CASE("direct: a command that waits for the snapshot's locks is let through, and the snapshot begins again") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t SELECT i FROM generate_series(1, 3000) i");
    group.start_direct_replicator();
    REQUIRE(says(group.replicator(), "--snapshot direct"));
    std::jthread command([&] { group.on_source("ALTER TABLE t ALTER v TYPE varchar(10)"); });
    CHECK(eventually("it waits", [&] {
        return group.source_scalar(
                   "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT "
                   "granted AND datname = current_database()") == "1";
    }));
    group.start_direct_worker();
    command.join();
    CHECK(says(group.replicator(), "releases its locks and starts over"));
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("direct: when the source has ended the replicator's session the snapshot begins again") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.make_tables();
    group.start_direct_replicator();
    REQUIRE(says(group.replicator(), "--snapshot direct"));
    CHECK(eventually("it has begun", [&] { return group.messages("snapshot-begin") == 1; }));
    group.source_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
        "current_database() AND state = 'idle in transaction'");
    group.change(1);
    group.start_direct_worker();
    group.check_equal(DirectGroup::tables());
    CHECK(group.messages("snapshot-end") == 1);
    CHECK_FALSE(contains(group.broker->kv_get(group.names(), "direct").value().text, R"({"epoch":1,)"));
    group.stop();
}

TEST_CASE("direct: in a sealed stream, and with partitions under their root's name") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.make_tables();
    const TextFile key("k1:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n", "stream.key");
    std::filesystem::permissions(key.path(), std::filesystem::perms::owner_read);
    group.always({"--stream-key-file", key.path()}, {"--stream-key-file", key.path()});
    group.start_direct_replicator({"--copy-and-stream", "--publish-via-partition-root"});
    group.start_direct_worker();
    group.change(3);
    group.check_equal(DirectGroup::tables());
    group.stop();
}
