// --ddl-build-indexes concurrently: an index is built beside the stream.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> beside = {"--ddl-build-indexes", "concurrently"};

struct Building : Pipeline {
    Building() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text, w text); CREATE TABLE u (id int PRIMARY KEY)");
        start_replicator({"--copy-and-stream", "--track-ddl"});
        start_worker(beside);
        on_source("INSERT INTO t VALUES (1, 'a', 'b')");
        settle();
    }
    std::string valid(const std::string& index) {
        return target_scalar("SELECT coalesce((SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('" +
                             index + "')), 'none')");
    }
    void await_valid(const std::string& index) {
        eventually("index " + index + " is valid", [&] { return valid(index) == "true"; });
    }
    Finished command(std::vector<std::string> words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        for (const std::string& word :
             {std::string("--group"), group(), std::string("--nats-url"), shared_nats().url()})
            words.push_back(word);
        return run(words);
    }
    Finished ddl(const std::string& what) { return command({"ddl", what, "--worker-name", "postgres"}); }
};

// A transaction of the target's own, for which a build has to wait.
class Writer {
   public:
    explicit Writer(const Building& group) : connection_(shared_servers().target.connect(group.target_db())) {
        connection_.exec("BEGIN; LOCK TABLE public.t IN ROW EXCLUSIVE MODE");
    }
    void end() { connection_.exec("COMMIT"); }

   private:
    sql::Connection connection_;
};

const std::string building = "building index \"public\".\"i\" beside the stream";

}  // namespace

TEST_CASE("rows are applied while an index is built, and a command that may need it waits") {
    Building group;
    Writer writer(group);
    group.on_source("CREATE INDEX CONCURRENTLY i ON t (v)");
    CHECK(says(group.worker(), building));
    group.on_source("INSERT INTO t VALUES (2, 'c', 'd')");
    group.on_source("ALTER TABLE u ADD COLUMN n int");  // none that needs it
    group.on_source("INSERT INTO u VALUES (1, 1)");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM t") == "2");
    CHECK(eventually("the build has begun", [&] { return group.valid("i") == "false"; }));
    std::string renamed = "j";
    SUBCASE("it is renamed") { group.on_source("ALTER INDEX i RENAME TO j"); }
    SUBCASE("it is dropped") {
        group.on_source("DROP INDEX i");
        renamed.clear();
    }
    SUBCASE("its table is dropped") {
        group.on_source("DROP TABLE t");
        renamed.clear();
    }
    SUBCASE("its table is referred to") {
        group.on_source("ALTER TABLE u ADD FOREIGN KEY (id) REFERENCES t");
        renamed = "i";
    }
    group.on_source("INSERT INTO u VALUES (2, 2)");
    CHECK(says(group.worker(), "still waiting for an index (--ddl-build-indexes)"));
    CHECK(group.target_scalar("SELECT count(*) FROM u") == "1");
    writer.end();
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM u") == "2");
    if (!renamed.empty()) CHECK(group.valid(renamed) == "true");
    CHECK(group.target_scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0");
    CHECK(group.target_scalar("SELECT count(*) FROM pgsluice.index_builds") == "0");
    group.check_equal({"u"});
    group.stop();
}

TEST_CASE("a build that was cut off is begun again") {
    Building group;
    Writer writer(group);
    group.on_source("CREATE UNIQUE INDEX i ON t (lower(v))");
    CHECK(says(group.worker(), building));
    group.settle();
    eventually("the build has begun", [&] { return group.valid("i") == "false"; });
    SUBCASE("by SIGTERM: the index is as the cancelled build left it") { group.stop_worker(std::chrono::seconds(20)); }
    SUBCASE("by SIGKILL: the server builds on") { group.kill_worker(); }
    writer.end();
    const Finished ended = run(group.worker_argv("postgres", {"--ddl-build-indexes", "concurrently", "--exit-at-lsn",
                                                              group.source_scalar("SELECT pg_current_wal_lsn()")}));
    must_succeed(ended);
    CHECK(group.valid("i") == "true");
    CHECK(group.target_scalar("SELECT count(*) FROM pgsluice.index_builds") == "0");
    group.stop_replicator();
}

TEST_CASE("an unfinished index goes with its group") {
    Building group;
    Writer writer(group);
    group.on_source("CREATE UNIQUE INDEX i ON t (v)");
    CHECK(says(group.worker(), building));
    eventually("the build has begun", [&] { return group.valid("i") == "false"; });
    group.stop_worker(std::chrono::seconds(20));
    group.stop_replicator();
    writer.end();
    const Finished gone =
        group.command({"teardown", "--source-url", group.source_url(), "--target-url", group.target_url(), "--yes"});
    must_succeed(gone);
    CHECK(contains(gone.out, "unfinished index public.i on target"));
    CHECK(group.valid("i") == "none");
}

TEST_CASE("an index that a later command of the same transaction may need is built there") {
    Building group;
    group.on_source("BEGIN; CREATE INDEX i ON t (v); COMMENT ON INDEX i IS 'x'; CREATE INDEX k ON t (w); COMMIT");
    group.settle();
    group.await_valid("k");
    CHECK(group.valid("i") == "true");
    CHECK(group.target_scalar("SELECT obj_description('i'::regclass)") == "x");
    CHECK_FALSE(contains(group.worker().err(), building));
    CHECK(says(group.worker(), "built index \"public\".\"k\""));
    group.stop();
}

TEST_CASE("an index that the target refuses waits for a decision while rows are applied") {
    Building group;
    group.on_target("INSERT INTO t VALUES (7, 'a', 'own')");
    group.on_source("CREATE UNIQUE INDEX i ON t (v); CREATE INDEX k ON t (w)");
    CHECK(says(group.worker(), "waiting for a decision: unable to build index 'public.i' beside the stream"));
    CHECK(says(group.worker(), "could not create unique index"));
    CHECK(eventually("it refuses no row", [&] { return group.valid("i") == "none"; }));
    group.on_source("INSERT INTO t VALUES (2, 'c', 'd')");
    group.settle();
    CHECK(contains(group.ddl("list").out, "worker 'postgres': index on index 'public.i'"));
    std::string found = "true";
    SUBCASE("mended") {
        group.on_target("DELETE FROM t WHERE id = 7");
        CHECK(contains(group.ddl("apply").out, "decided: apply"));
    }
    SUBCASE("left out") {
        CHECK(contains(group.ddl("skip").out, "decided: skip"));
        found = "none";
    }
    SUBCASE("mended while the worker does not run") {
        group.stop_worker(std::chrono::seconds(20));
        group.on_target("DELETE FROM t WHERE id = 7");
        group.start_worker(beside);
    }
    SUBCASE("left out while the worker does not run") {
        group.kill_worker();
        CHECK(contains(group.ddl("skip").out, "decided: skip"));
        group.start_worker(beside);
        found = "none";
    }
    SUBCASE("a command waits for it") {
        group.on_source("ALTER TABLE t ADD COLUMN n int");
        group.on_source("INSERT INTO u VALUES (1)");
        CHECK(says(group.worker(), "still waiting for a decision (pgsluice ddl)"));
        CHECK(group.target_scalar("SELECT count(*) FROM u") == "0");
        group.on_target("DELETE FROM t WHERE id = 7");
        CHECK(contains(group.ddl("apply").out, "decided: apply"));
        group.settle();
        CHECK(group.target_scalar("SELECT count(*) FROM u") == "1");
    }
    group.await_valid("k");  // the one after it
    group.settle();
    CHECK(group.valid("i") == found);
    group.stop();
}

TEST_CASE("tables whose indexes cannot be built so have them built in the transaction") {
    Pipeline group;
    group.on_both(
        "CREATE TABLE p (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.start_worker(beside);
    group.settle();
    group.on_source("CREATE INDEX i ON p (v)");
    group.on_source("INSERT INTO p VALUES (1, 'a')");
    group.check_equal({"p"});
    CHECK(group.target_scalar("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text IN "
                              "('i', 'p1_v_idx')") == "2");
    CHECK_FALSE(contains(group.worker().err(), "beside the stream"));
    group.stop();
}
