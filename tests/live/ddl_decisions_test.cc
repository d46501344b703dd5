// A command that --ddl-policy stops at is decided on alone, by `pgsluice ddl`, while the worker waits; what comes after
// it is then applied.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> policy = {"--ddl-policy", "drop column=stop"};
const std::string waits = "waiting for a decision: unable to apply drop column on table 'public.t'";

struct Decided : Pipeline {
    Decided() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text, w text)");
        start_replicator({"--copy-and-stream", "--track-ddl"});
        start_worker(policy);
        settle();
        on_source("INSERT INTO t VALUES (0, 'before', 'x')");
        on_source("ALTER TABLE t DROP COLUMN w");
        on_source("ALTER TABLE t ADD COLUMN n int DEFAULT 7");
        on_source("INSERT INTO t VALUES (1, 'one')");
        CHECK(says(worker(), waits));
        CHECK(contains(worker().err(), "pgsluice ddl skip --group " + group() + " --worker-name postgres"));
        CHECK(target_rows("t") == std::vector<std::string>{"(0,before,x)"});
    }
    Finished ddl(const std::string& what) {
        return run({PGSLUICE_BINARY, "ddl", what, "--group", group(), "--worker-name", "postgres", "--nats-url",
                    shared_nats().url()});
    }
    std::string columns() {
        return target_scalar(
            "SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = 't'::regclass AND "
            "attnum > 0 AND NOT attisdropped");
    }
};

}  // namespace

TEST_CASE("a command is left out, and those after it are applied") {
    Decided group;
    const Finished listed = group.ddl("list");
    INFO(listed.err);
    CHECK(contains(listed.out, "worker 'postgres': drop column on table 'public.t'"));
    CHECK(contains(listed.out, "DROP COLUMN \"w\""));
    CHECK(contains(group.ddl("skip").out, "decided: skip"));
    CHECK(group.ddl("list").out == "no command waits for a decision\n");
    CHECK(group.ddl("skip").code == 1);
    group.settle();
    CHECK(group.columns() == "id,n,v,w");
    CHECK(group.target_rows("(SELECT id, v, n FROM t)") == std::vector<std::string>{"(0,before,7)", "(1,one,7)"});
    group.stop();
}

TEST_CASE("a worker that was stopped while it waited waits again, and a command is applied after all") {
    Decided group;
    group.stop_worker();
    group.start_worker(policy);
    CHECK(says(group.worker(), waits));
    CHECK(says(group.worker(), "still waiting for a decision (pgsluice ddl) after 10 s: unable to apply drop column"));
    CHECK(contains(group.ddl("apply").out, "decided: apply"));
    group.check_equal({"t"});
    CHECK(group.columns() == "id,n,v");
    group.stop();
}

TEST_CASE("a decision that is made while the worker does not run") {
    Decided group;
    group.kill_worker();
    CHECK(contains(group.ddl("apply").out, "decided: apply"));
    group.start_worker(policy);
    group.check_equal({"t"});
    CHECK_FALSE(contains(group.worker().err(), "waiting for a decision"));
    group.stop();
}

TEST_CASE("what the target hung on a column keeps it until that is dropped there") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, w text)");
    group.start_replicator({"--copy-and-stream", "--track-ddl", "--ddl-capture", "definitions"});
    group.start_worker();
    group.settle();
    group.on_target("CREATE VIEW own AS SELECT w FROM t");
    group.on_source("ALTER TABLE t DROP COLUMN w");
    CHECK(says(group.worker(), "waiting for a decision: unable to apply drop column on table 'public.t'"));
    CHECK(says(group.worker(), "view public.own depends on column w"));
    group.on_target("DROP VIEW own");
    const Finished applied = run({PGSLUICE_BINARY, "ddl", "apply", "--group", group.group(), "--worker-name",
                                  "postgres", "--nats-url", shared_nats().url()});
    CHECK(contains(applied.out, "decided: apply"));
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("an index that only the target has keeps its column until that is decided") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text, w text); CREATE INDEX shared ON t (w)");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.start_worker();
    group.settle();
    group.on_target("CREATE INDEX own ON t (lower(w), v)");
    group.on_source("ALTER TABLE t DROP COLUMN w");
    CHECK(says(group.worker(),
               "has on column 'w' what the source does not have, and it would go with the column: index "
               "public.own"));
    const Finished applied = run({PGSLUICE_BINARY, "ddl", "apply", "--group", group.group(), "--worker-name",
                                  "postgres", "--nats-url", shared_nats().url()});
    CHECK(contains(applied.out, "decided: apply"));
    group.check_equal({"t"});
    CHECK(group.target_scalar("SELECT to_regclass('own') IS NULL AND to_regclass('shared') IS NULL") == "t");
    group.stop();
}

TEST_CASE("a command after which rows are copied again is left out by one decision, and the target keeps its column") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t VALUES (1, 'a'), (2, 'bb'), (3, 'c')");
    group.start({"--copy-and-stream", "--track-ddl"});
    group.settle();
    group.on_target("ALTER TABLE t ADD own int; UPDATE t SET own = id * 10");
    group.on_source("ALTER TABLE t ALTER v TYPE int USING length(v), ADD n bigserial");
    CHECK(says(group.worker(), "waiting for a decision: unable to apply recopy on table 'public.t'"));
    const Finished skipped = run(group.command_argv("operator", {"ddl", "skip", "--worker-name", "postgres"}));
    CHECK(contains(skipped.out, "decided: skip"));
    group.on_source("INSERT INTO t VALUES (4, 7)");
    CHECK(says(group.worker(), "left out, as decided: recopy"));
    CHECK(says(group.worker(), "left out with the recopy: column type on table 'public.t'"));
    CHECK(says(group.worker(), "the copy of 'public.t' overwrites rows of the same key"));
    CHECK(says(group.worker(), "snapshot complete: epoch 2"));
    group.settle();
    CHECK(group.target_rows("(SELECT id, v, own FROM t)") ==
          std::vector<std::string>{"(1,1,10)", "(2,2,20)", "(3,1,30)", "(4,7,)"});
    CHECK(group.target_rows("(SELECT id, n FROM t)") == group.source_rows("(SELECT id, n FROM t)"));
    group.stop();
}

TEST_CASE("rows that the source deletes before the copy of kept rows are removed by what the log says") {
    const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl", "--all-schemas"};
    Pipeline group;
    std::string table = "t";
    SUBCASE("a table") { group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)"); }
    SUBCASE("a name that has to be quoted") {
        table = "\"It's an Odd.t,*\"";
        group.on_both("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)");
    }
    SUBCASE("a partitioned table") {
        group.on_both(
            "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR "
            "VALUES FROM (0) TO (100)");
    }
    group.on_source("INSERT INTO " + table + " SELECT i, 'v' || i FROM generate_series(1, 9) i");
    group.start_replicator(tracked, {{"PGSLUICE_FAILPOINT", "before-added-copy"}});
    group.start_worker({"--ddl-policy", "recopy=ignore"});
    group.settle();
    group.on_source("ALTER TABLE " + table + " ADD n bigserial");
    Pipeline::must_die(group.replicator());
    group.on_source("DELETE FROM " + table + " WHERE id IN (2, 4); UPDATE " + table + " SET v = 'then' WHERE id = 3");
    group.start_replicator(tracked);
    CHECK(says(group.worker(), "overwrites rows of the same key"));
    CHECK(
        eventually("the copy is there", [&] { return count(group.worker().err(), "snapshot complete: epoch ") == 2; }));
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM " + table + " WHERE id IN (2, 4)") == "2");
    const std::string warning = said(group.worker().err(), "overwrites rows of the same key");
    run_said(group, said(warning, "pgsluice compare", "`"));
    group.check_equal({table});
    CHECK(group.target_scalar("SELECT count(*) FROM " + table) == "7");
    group.stop();
}
