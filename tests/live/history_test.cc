// Tables that keep every version of their rows: from when to when each was valid, by the source's commit times.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

std::string write_file(const std::string& text) {
    const std::string path = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(path) << text;
    return path;
}

// A source table `t` and its history on the target, `h.t`.
struct History : Pipeline {
    std::string file;
    explicit History(const std::string& more = "", const std::string& columns = "id int PRIMARY KEY, v text, big text")
        : file(write_file(fmt::format("defaults: {{columns: {{sid: 7}}}}\ntables:\n  settled: {{mode: append, columns: "
                                      "{{sid: null}}}}\n  t: {{to: h.t, mode: "
                                      "history{}}}\n",
                                      more))) {
        on_source("CREATE TABLE t (" + columns + "); ALTER TABLE t ALTER big SET STORAGE EXTERNAL");
    }
    void start_worker(Texts more = {"--target-sync-schema"}) {
        more.insert(more.end(), {"--routing-config", file, "--source-url", source_url()});
        Pipeline::start_worker(more);
    }
    void start_worker_dying(const std::string& failpoint) {
        Pipeline::start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", source_url()},
                               {{"PGSLUICE_FAILPOINT", failpoint}});
        must_die(worker());
    }
    void start() {
        start_replicator();
        start_worker();
        settle();
    }
    // What was written, and whether each version begins where the one before ended.
    Texts chain(const std::string& key = "true") {
        check_versions();
        const std::string rows = target_scalar(
            "SELECT coalesce(string_agg(format('%s %s%s%s%s', id, v, CASE WHEN big IS NULL THEN '' ELSE ' ' || "
            "left(big, 2) END, CASE WHEN deleted THEN ' deleted' ELSE '' END, CASE WHEN valid_to = 'infinity' THEN ' "
            "now' "
            "ELSE '' END), ',' ORDER BY id, valid_from), '') FROM h.t WHERE " +
            key);
        Texts versions;
        for (std::size_t at = 0; at < rows.size();) {
            const auto end = std::min(rows.find(',', at), rows.size());
            versions.push_back(rows.substr(at, end - at));
            at = end + 1;
        }
        return versions;
    }
    void check_versions() {
        CHECK(target_scalar("SELECT count(*) FROM h.t WHERE valid_from >= valid_to OR sid <> 7") == "0");
        CHECK(target_scalar("SELECT count(*) FROM h.t a JOIN h.t b ON a.id = b.id AND a.ctid <> b.ctid AND "
                            "tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)") == "0");
    }
    // What is valid now is what the source has.
    void check_now() {
        check_versions();
        CHECK(
            target_scalar("SELECT count(*) || ' ' || coalesce(md5(string_agg(ROW(id, v, big)::text, ',' ORDER BY id)), "
                          "'') FROM h.t WHERE valid_to = 'infinity'") ==
            source_scalar("SELECT count(*) || ' ' || coalesce(md5(string_agg(ROW(id, v, big)::text, ',' ORDER BY id)), "
                          "'') FROM t"));
        const Finished compared = run_compare(*this, {"--routing-config", file});
        CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    }
    void forbid_overlap() {
        on_target(
            "CREATE EXTENSION IF NOT EXISTS btree_gist; ALTER TABLE h.t ADD EXCLUDE USING gist (sid WITH =, id WITH "
            "=, tstzrange(valid_from, valid_to) WITH &&)");
    }
};

}  // namespace

TEST_CASE("each kind of change, as a chain of versions") {
    History group;
    group.on_source("INSERT INTO t VALUES (1, 'copied', repeat('b1', 2000)), (2, 'copied', NULL)");
    group.start();
    group.forbid_overlap();
    CHECK(
        group.target_scalar("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'h.t'::regclass AND "
                            "contype = 'p'") == "PRIMARY KEY (sid, id, valid_from)");
    CHECK(contains(group.target_scalar("SELECT pg_get_indexdef('h.t_valid_now'::regclass)"), "UNIQUE"));

    group.on_source("UPDATE t SET v = 'updated' WHERE id = 1");  // its TOAST is not in the log
    group.on_source(
        "BEGIN; UPDATE t SET v = 'x' WHERE id = 2; UPDATE t SET v = 'last' WHERE id = 2; INSERT INTO t VALUES "
        "(3, 'made', 'b3'); UPDATE t SET v = 'made and changed' WHERE id = 3; INSERT INTO t VALUES (4, "
        "'passing', ''); DELETE FROM t WHERE id = 4; COMMIT");
    group.on_source("DELETE FROM t WHERE id = 2");
    group.on_source("INSERT INTO t VALUES (2, 'again', NULL)");
    group.on_source("BEGIN; DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (3, 'replaced', 'c3'); COMMIT");
    group.on_source("UPDATE t SET id = 10, v = 'moved' WHERE id = 1");  // nor now
    group.settle();
    CHECK(group.chain() == Texts{"1 copied b1", "1 updated b1 deleted", "2 copied", "2 last deleted", "2 again now",
                                 "3 made and changed b3", "3 replaced c3 now", "10 moved b1 now"});
    CHECK(group.target_scalar(
              "SELECT string_agg((md5(big) = md5(repeat('b1', 2000)))::text, ' ') FROM h.t WHERE big LIKE "
              "'b1%'") == "true true true");
    // By the source's commit times: a version ends when the next begins.
    CHECK(group.target_scalar(
              "SELECT a.valid_to = b.valid_from FROM h.t a, h.t b WHERE a.id = 3 AND b.id = 3 AND a.v LIKE "
              "'made%' AND b.v = 'replaced'") == "t");
    CHECK(
        group.target_scalar("SELECT a.valid_to = b.valid_from FROM h.t a, h.t b WHERE a.id = 1 AND a.v = 'updated' AND "
                            "b.id = 10") == "t");
    group.check_now();

    group.on_source(
        "BEGIN; INSERT INTO t VALUES (5, 'gone at once', ''); TRUNCATE t; INSERT INTO t VALUES (2, 'after', "
        "NULL); COMMIT");
    group.settle();
    CHECK(group.chain("id IN (2, 3, 5)") == Texts{"2 copied", "2 last deleted", "2 again", "2 after now",
                                                  "3 made and changed b3", "3 replaced c3 deleted"});
    group.check_now();
    group.stop();
}

// Without the old row the second update is one that may bring the row in.
TEST_CASE("a row that leaves a filter and enters it again within one transaction is not deleted") {
    History group(", where: \"n > 0\"", "id int PRIMARY KEY, n int, v text, big text");
    std::string batch_size;
    SUBCASE("at once") { batch_size = "1000"; }
    SUBCASE("in pieces") { batch_size = "1"; }
    group.on_source("INSERT INTO t VALUES (1, 1, 'copied')");
    group.start_replicator();
    group.start_worker({"--target-sync-schema", "--batch-size", batch_size});
    group.settle();
    group.on_source(
        "BEGIN; UPDATE t SET n = 0; INSERT INTO t SELECT i, 1, 'more' FROM generate_series(2, 20) i; UPDATE t SET n = "
        "5, v = 'back' WHERE id = 1; COMMIT");
    group.on_source("UPDATE t SET n = 0 WHERE id = 1");
    group.on_source("UPDATE t SET n = 7, v = 'later' WHERE id = 1");
    group.settle();
    CHECK(group.chain("id = 1") == Texts{"1 copied", "1 back deleted", "1 later now"});
    CHECK(group.target_scalar("SELECT a.valid_to = b.valid_from FROM h.t a, h.t b WHERE a.id = 1 AND b.id = 1 AND a.v "
                              "= 'copied' AND b.v = 'back'") == "t");
    group.stop();
}

// PostgreSQL's scan of a GiST index that ends at its first match and begins again with another key can mark entries of
// live rows as dead: that index does not find them any more. The plan that uses it is made while the table is small.
TEST_CASE("a GiST index on the key loses no row to sets of changes") {
    History group;
    group.on_source("INSERT INTO t SELECT i, 'copied', repeat('b', 3000) FROM generate_series(1, 10) i");
    group.start_replicator();
    SUBCASE("that is there at the start") {
        group.start_worker();
        group.settle();
        group.forbid_overlap();
        group.stop_worker();
        group.start_worker({"--batch-size", "100"});
    }
    SUBCASE("that is made under a running worker") {
        group.start_worker({"--target-sync-schema", "--batch-size", "100"});
        group.on_source("UPDATE t SET v = 'changed'");
        group.settle();
        group.forbid_overlap();
    }
    group.on_source("UPDATE t SET v = 'changed again'");
    group.settle();
    group.on_source("INSERT INTO t SELECT i, 'made', repeat('b', 3000) FROM generate_series(11, 3000) i");
    group.on_source(
        "DO $$ BEGIN PERFORM setseed(0.1); FOR round IN 1..100 LOOP UPDATE t SET v = round WHERE id IN (SELECT i FROM "
        "generate_series(1, 3000) i ORDER BY random() LIMIT 100); COMMIT; END LOOP; END $$");
    group.settle();
    group.check_now();
    group.stop();
}

TEST_CASE("many changes of many keys, in sets and row by row, with a kill in between" * slow) {
    for (const std::string place : {"postgres-before-commit", "postgres-after-commit"}) {
        CAPTURE(place);
        History group;
        group.on_source("INSERT INTO t SELECT i, 'copied', NULL FROM generate_series(1, 3000) i");
        group.start();
        group.forbid_overlap();
        group.stop_worker();
        group.start_worker({});
        group.on_source("UPDATE t SET v = 'one' WHERE id % 2 = 0");
        group.on_source("DELETE FROM t WHERE id % 3 = 0");
        group.settle();
        group.stop_worker();
        group.on_source("INSERT INTO t SELECT i, 'again', 'b' FROM generate_series(3, 3000, 6) i");
        for (int i = 0; i < 30; ++i)
            group.on_source(
                fmt::format("UPDATE t SET v = 'step {0}' WHERE id % 30 = {0}; UPDATE t SET v = 'hot {0}' WHERE "
                            "id = 1",
                            i));
        group.Pipeline::start_worker({"--routing-config", group.file, "--source-url", group.source_url()},
                                     {{"PGSLUICE_FAILPOINT", place}});
        Pipeline::must_die(group.worker());
        group.start_worker({});
        group.settle();
        group.check_now();
        CHECK(group.chain("id = 6") == Texts{"6 copied", "6 one deleted"});
        CHECK(group.chain("id = 9") == Texts{"9 copied deleted", "9 again b", "9 step 9 b now"});
        CHECK(group.target_scalar("SELECT count(*) FROM h.t WHERE id = 1") == "31");
        CHECK(group.target_scalar("SELECT count(*) FROM h.t WHERE deleted") == "1000");
        group.stop();
    }
}

TEST_CASE("a new copy makes versions of differences only") {
    History group;
    group.on_source("INSERT INTO t SELECT i, 'v', 'b' FROM generate_series(1, 1000) i");
    group.start();
    group.forbid_overlap();
    group.stop();
    group.on_target(
        "UPDATE h.t SET v = 'wrong' WHERE id = 5; DELETE FROM h.t WHERE id = 6; INSERT INTO h.t VALUES (7, "
        "5000, 'not there', NULL, now(), 'infinity', false), (8, 1, 'of another', NULL, now(), 'infinity', "
        "false)");
    group.on_source("DELETE FROM t WHERE id = 9");
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.start_worker({});
    group.settle();
    group.on_target("DELETE FROM h.t WHERE sid = 8");
    CHECK(group.chain("id IN (4, 5, 6, 9, 5000)") ==
          Texts{"4 v b now", "5 wrong b", "5 v b now", "6 v b now", "9 v b deleted", "5000 not there deleted"});
    CHECK(group.target_scalar("SELECT count(*) FROM h.t") == "1002");
    CHECK(group.target_scalar("SELECT count(*) FROM pg_class WHERE relname LIKE 'copy\\_%'") == "0");
    group.check_now();
    group.stop();
}

TEST_CASE("where a copy was being loaded is removed by the shares that take over") {
    History group;
    group.on_source("INSERT INTO t SELECT i, 'v', 'b' FROM generate_series(1, 1000) i");
    group.start_replicator();
    group.start_worker_dying("postgres-load-after-commit");
    const auto places = [&] {
        return group.target_scalar("SELECT count(*) FROM pg_class WHERE relname LIKE 'copy\\_%' AND relkind = 'r'");
    };
    CHECK(places() == "1");
    group.on_source("UPDATE t SET v = 'w' WHERE id = 1");
    const std::string lsn = group.source_scalar("SELECT pg_current_wal_lsn()");
    for (const std::string share : {"1/2", "2/2"})
        must_succeed(run(group.worker_argv(
            "postgres", {"--routing-config", group.file, "--target-ddl", "ignore", "--target-existing-rows", "truncate",
                         "--share-by", "table", "--share", share, "--exit-at-lsn", lsn})));
    CHECK(places() == "0");
    CHECK(group.chain("id < 3") == Texts{"1 v b", "1 w b now", "2 v b now"});
    group.stop_replicator();
}

TEST_CASE("under Kuvasz-streamer's names and bounds, and with a version for each change") {
    History kuvasz(", history: kuvasz");
    kuvasz.on_source("INSERT INTO t VALUES (1, 'first', NULL)");
    kuvasz.start();
    kuvasz.on_source("UPDATE t SET v = 'second'");
    kuvasz.settle();
    CHECK(kuvasz.target_scalar("SELECT string_agg(v || ' ' || (kvsz_start = '1900-01-01 UTC') || ' ' || (kvsz_end = "
                               "'9999-01-01 UTC') || ' ' || kvsz_deleted, ', ' ORDER BY kvsz_start) FROM h.t") ==
          "first true false false, second false true false");
    kuvasz.stop();

    History each(", history: {versions: change}");
    each.start();
    each.on_source("BEGIN; INSERT INTO t VALUES (1, 'a', NULL); UPDATE t SET v = 'b'; UPDATE t SET v = 'c'; COMMIT");
    each.settle();
    CHECK(each.chain() == Texts{"1 a", "1 b", "1 c now"});
    each.stop();
}

TEST_CASE("code of the target's owner runs with the owner's rights, in a copy, too") {
    History group;
    group.on_source("INSERT INTO t VALUES (1, 'copied', repeat('b1', 2000)), (2, 'copied', NULL), (3, 'copied', NULL)");
    group.start();
    group.forbid_overlap();
    const std::string owner = "owner_" + group.group();
    group.on_target(
        fmt::format("CREATE ROLE {0}; GRANT ALL ON SCHEMA h TO {0}; CREATE FUNCTION h.who(text) RETURNS bool LANGUAGE "
                    "plpgsql AS $$ "
                    "BEGIN IF current_user <> '{0}' THEN RAISE 'as %', current_user; END IF; RETURN true; END $$; "
                    "ALTER FUNCTION h.who "
                    "OWNER TO {0}; ALTER TABLE h.t OWNER TO {0}; ALTER TABLE h.t ADD CHECK (h.who(v)) NOT VALID",
                    owner));
    group.on_source("UPDATE t SET v = 'updated' WHERE id = 1");
    group.on_source("UPDATE t SET id = 10, v = 'moved' WHERE id = 1");
    group.on_source("DELETE FROM t WHERE id = 2");
    group.settle();
    CHECK(group.chain() ==
          Texts{"1 copied b1", "1 updated b1 deleted", "2 copied deleted", "3 copied now", "10 moved b1 now"});
    group.on_source("TRUNCATE t; INSERT INTO t VALUES (4, 'after', NULL)");
    group.settle();
    group.stop();
    group.on_target("SET ROLE " + owner + "; UPDATE h.t SET valid_to = 'infinity', deleted = false WHERE id = 3");
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.start_worker({});
    group.settle();
    CHECK(group.chain("id IN (3, 4)") == Texts{"3 copied deleted", "4 after now"});
    group.check_now();
    group.stop();
}

TEST_CASE("rows are found by index, also where the table was empty when its statements were planned") {
    History group;
    group.start_replicator();
    group.on_target(
        "CREATE SCHEMA h; CREATE TABLE h.t (sid int, id int, v text, big text, valid_from timestamptz, valid_to "
        "timestamptz NOT NULL, deleted bool NOT NULL, PRIMARY KEY (sid, id, valid_from)); CREATE UNIQUE INDEX ON h.t "
        "(sid, id) WHERE valid_to = 'infinity'");
    group.start_worker({});
    group.settle();
    group.on_source("INSERT INTO t SELECT i, 'v', NULL FROM generate_series(1, 20000) AS i");
    group.settle();
    group.stop();
    // At most once for each row; a scan of what is valid now reads all of them for each batch.
    CHECK(group.target_scalar("SELECT sum(idx_tup_read) <= 20000 FROM pg_stat_user_indexes WHERE relid = "
                              "'h.t'::regclass") == "t");
    CHECK(group.target_scalar("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relid = 'h.t'::regclass") == "0");
    CHECK(group.target_scalar("SELECT count(*) FROM h.t") == "20000");
}

TEST_CASE("a target without the columns is refused, and taken once the hint is followed") {
    History group;
    group.on_source("INSERT INTO t VALUES (1, 'v', NULL)");
    group.on_target("CREATE SCHEMA h; CREATE TABLE h.t (sid int, id int, v text, big text)");
    group.start_replicator();
    group.start_worker({});
    const std::string hint = refusal(group.worker(), "Or let --target-sync-schema make the table.");
    group.on_target(said(hint, "ALTER TABLE", ";"));
    group.start_worker({});
    group.settle();
    group.on_source("UPDATE t SET v = 'w'");
    group.settle();
    CHECK(group.chain() == Texts{"1 v", "1 w now"});
    group.stop();
}

TEST_CASE("a table without a key is refused, and its history kept once the hint is followed") {
    std::string columns = "id int NOT NULL, v text, big text";
    std::string before;
    std::string hint = "Give the source's table a primary key, or REPLICA IDENTITY USING INDEX.";
    std::string then = "CREATE UNIQUE INDEX key ON t (id); ALTER TABLE t REPLICA IDENTITY USING INDEX key";
    SUBCASE("none at all") {}
    SUBCASE("one that the log does not name") {
        columns = "id int PRIMARY KEY, v text, big text";
        before = "ALTER TABLE t REPLICA IDENTITY FULL; ";
        hint = "run ALTER TABLE ... REPLICA IDENTITY DEFAULT for 'public.t'";
        then = "ALTER TABLE t REPLICA IDENTITY DEFAULT";
    }
    History group("", columns);
    group.on_source(before + "INSERT INTO t VALUES (1, 'v', NULL)");
    group.start_replicator();
    group.start_worker();
    CHECK(group.worker().wait(std::chrono::seconds(30)) == 2);
    CHECK(contains(hint_in(group.worker().err()), hint));
    group.stop_replicator();
    group.on_source(then);
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.start_worker();
    group.settle();
    group.on_source("DELETE FROM t");
    group.settle();
    CHECK(group.chain() == Texts{"1 v deleted"});
    group.stop();
}

TEST_CASE("a new type that would cut old versions waits for the operator") {
    History group;
    group.on_source("INSERT INTO t VALUES (1, 'a long value'), (2, 'another one')");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.start_worker();
    group.settle();
    group.on_source("UPDATE t SET v = 'b' WHERE id = 1; DELETE FROM t WHERE id = 2");
    group.on_source("ALTER TABLE t ALTER v TYPE varchar(3) USING left(v, 3), ALTER id TYPE bigint");
    REQUIRE(
        says(group.worker(), "the new type of column 'v' may cut, round or change values, and its rows are to stay"));
    // By hand, as far as the old versions allow it.
    group.on_target("ALTER TABLE h.t ALTER id TYPE bigint");
    run_said(group, said(group.worker().err(), "pgsluice ddl skip", "`"));
    REQUIRE(eventually("the next command waits", [&] { return count(group.worker().err(), "may cut, round") == 2; }));
    run_said(group, said(group.worker().err(), "pgsluice ddl skip", "`"));
    group.on_source("INSERT INTO t VALUES (5000000000, 'new')");
    CHECK(eventually("the copy is there",
                     [&] { return group.target_scalar("SELECT count(*) FROM h.t WHERE id = 5000000000") == "1"; }));
    group.settle();
    CHECK(group.chain() == Texts{"1 a long value", "1 b now", "2 another one deleted", "5000000000 new now"});
    group.check_now();
    group.stop();
}

namespace {

// Their rows are t's, published under their own names.
void make_partitions(History& group) {
    group.on_source(
        "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, big text) PARTITION BY RANGE (id); CREATE TABLE p1 "
        "PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (10) TO (20); "
        "INSERT INTO t VALUES (1, 'v'), (2, 'v'), (11, 'v'), (12, 'v')");
}

bool await_chain(History& group, const Texts& versions) {
    return eventually("the versions are there", [&] { return group.chain() == versions; });
}

}  // namespace

TEST_CASE("tables that are copied into one history end the versions that none of them has") {
    History group;
    make_partitions(group);
    group.start();
    group.forbid_overlap();
    CHECK(group.chain() == Texts{"1 v now", "2 v now", "11 v now", "12 v now"});
    group.on_target(
        "UPDATE h.t SET v = 'wrong' WHERE id = 11; DELETE FROM h.t WHERE id = 2; INSERT INTO h.t VALUES (7, 5, 'not "
        "there', NULL, now(), 'infinity', false)");
    SUBCASE("all tables") {
        group.stop();
        group.start_replicator({"--copy-and-stream", "--resnapshot"});
        group.start_worker({});
    }
    SUBCASE("all that fill it") { REQUIRE(run_said(group, "pgsluice resnapshot --tables t").code == 0); }
    CHECK(await_chain(group, {"1 v now", "2 v now", "5 not there deleted", "11 wrong", "11 v now", "12 v now"}));
    group.on_source("UPDATE t SET id = 3 WHERE id = 12");
    group.settle();
    CHECK(group.chain("id IN (3, 12)") == Texts{"3 v now", "12 v deleted"});
    group.stop();
}

TEST_CASE("a copy of one of several tables that fill a history stops, and ends no versions once the hint is followed") {
    History group;
    make_partitions(group);
    group.start();
    group.on_target("UPDATE h.t SET v = 'wrong' WHERE id IN (1, 11)");
    group.on_source("DELETE FROM t WHERE id = 2");
    group.settle();
    std::string hint;
    SUBCASE("one that is copied again") {
        REQUIRE(run_said(group, "pgsluice resnapshot --tables p1").code == 0);
        hint = refusal(group.worker(), "--target-existing-rows keep");
        CHECK(contains(group.worker().err(), "already holds rows in \"h\".\"t\", which public.p2 fills as well"));
        CHECK(group.chain("valid_to = 'infinity'") == Texts{"1 wrong now", "11 wrong now", "12 v now"});
    }
    SUBCASE("one that joins") {
        group.on_source(
            "CREATE TABLE p3 (id int PRIMARY KEY, v text, big text); INSERT INTO p3 VALUES (21, 'v'); ALTER TABLE t "
            "ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30)");
        hint = refusal(group.worker(), "--target-existing-rows keep");
        CHECK(contains(group.worker().err(), "which public.p1, public.p2 fill as well"));
        CHECK(group.chain("valid_to = 'infinity'") == Texts{"1 wrong now", "11 wrong now", "12 v now"});
    }
    const bool joined = group.source_scalar("SELECT count(*) FROM t WHERE id = 21") == "1";
    group.start_worker({"--target-existing-rows", said(hint, "keep", ".")});
    group.settle();
    CHECK(group.chain() == (joined ? Texts{"1 wrong now", "2 v deleted", "11 wrong now", "12 v now", "21 v now"}
                                   : Texts{"1 wrong", "1 v now", "2 v deleted", "11 wrong now", "12 v now"}));
    group.stop();
}

TEST_CASE("a copy of one of several tables that constants tell apart in a history ends its own versions only") {
    History group(", columns: {src: t}}\n  b: {to: h.t, mode: history, columns: {src: b}");
    group.on_source(
        "INSERT INTO t VALUES (1, 't'), (2, 't'); CREATE TABLE b (id int PRIMARY KEY, v text, big text); INSERT INTO b "
        "VALUES (1, 'b'), (3, 'b')");
    group.start();
    const auto rows = [&] {
        return group.target_scalar(
            "SELECT string_agg(format('%s %s %s', src, id, valid_to = 'infinity'), ',' ORDER BY src, id) FROM h.t");
    };
    CHECK(rows() == "b 1 t,b 3 t,t 1 t,t 2 t");
    group.on_target(
        "INSERT INTO h.t (sid, src, id, valid_from, valid_to, deleted) VALUES (7, 't', 4, now(), 'infinity', false)");
    REQUIRE(run_said(group, "pgsluice resnapshot --tables t").code == 0);
    CHECK(eventually("the copy is there", [&] { return rows() == "b 1 t,b 3 t,t 1 t,t 2 t,t 4 f"; }));
    group.stop();
}
