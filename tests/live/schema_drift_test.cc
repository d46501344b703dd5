// --target-sync-schema, and a source whose tables change between the snapshot and the worker's first start.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

struct Late : Pipeline {
    Late() {
        on_source(
            "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), w int); INSERT INTO t VALUES (1, 'a', 5), (2, 'b', 6)");
    }

    [[nodiscard]] Texts sync() const {
        return {"--target-sync-schema", "--source-url", shared_postgres().url(source_db())};
    }

    // The snapshot is taken before the change, the worker starts after it.
    void change_after_snapshot(const Texts& replicator, const Texts& changes) {
        start_replicator(replicator);
        await_stream();
        for (const std::string& change : changes) on_source(change);
        start_worker(sync());
    }

    // As the HINT says.
    void copy_again(Texts replicator) {
        stop_replicator();
        replicator.emplace_back("--resnapshot");
        start_replicator(replicator);
        await_stream();
        start_worker(sync());
    }
};

constexpr const char* column_definitions =
    "SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attname) FROM pg_attribute a LEFT JOIN pg_attrdef d ON "
    "d.adrelid "
    "= a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = 't'::regclass AND a.attnum > 0 AND NOT a.attisdropped";

}  // namespace

namespace {

// The change stops the first start, and what the hint says leads to equal contents.
void check_stops(const std::string& change, const std::string& said, const Texts& replicator) {
    CAPTURE(change);
    Late pipeline;
    pipeline.change_after_snapshot(replicator, {change, "INSERT INTO t (id) VALUES (3)"});
    CHECK(pipeline.worker().wait() != 0);
    CHECK(contains(pipeline.worker().err(), "the source's table has changed since the copy was taken: " + said));
    CHECK(contains(pipeline.worker().err(), "--copy-and-stream --resnapshot"));
    CHECK(pipeline.target_scalar("SELECT to_regclass('t') IS NULL") == "t");
    pipeline.copy_again(replicator);
    pipeline.on_source("INSERT INTO t (id) VALUES (4)");
    pipeline.check_equal({"t"});
    CHECK(pipeline.target_scalar(column_definitions) == pipeline.source_scalar(column_definitions));
}

void check_stops(const Texts& replicator) {
    check_stops("ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 7", "column 'c' was added", replicator);
    check_stops("ALTER TABLE t DROP COLUMN w", "column 'w' was dropped", replicator);
    check_stops("ALTER TABLE t RENAME COLUMN w TO x", "column 'w' was renamed to 'x'", replicator);
    check_stops("ALTER TABLE t ALTER COLUMN v TYPE varchar(30)", "column 'v' changed its type", replicator);
}

}  // namespace

TEST_CASE("a table changed since the snapshot stops the first start, and its hint leads to equal contents") {
    check_stops({"--copy-and-stream"});
}

TEST_CASE("the same where commands are tracked") { check_stops({"--copy-and-stream", "--track-ddl"}); }

TEST_CASE("an excluded column is not taken for an added one") {
    Late pipeline;
    const std::string rules = temporary_directory("drift") + "/rules.yaml";
    REQUIRE(
        run({"/bin/sh", "-c", "printf 'tables:\\n  t:\\n    - type: exclude_column\\n      column: w\\n' > " + rules})
            .code == 0);
    pipeline.start_replicator();
    auto words = pipeline.sync();
    words.insert(words.end(), {"--rules-config", rules});
    pipeline.start_worker(words);
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT string_agg(v, ' ' ORDER BY id) FROM t WHERE w IS NULL") == "a b");
}

TEST_CASE("an index made after the snapshot comes with the schema, and again as a tracked command") {
    Late pipeline;
    pipeline.change_after_snapshot({"--copy-and-stream", "--track-ddl"},
                                   {"CREATE INDEX late ON t (v)", "ALTER TABLE t ADD CONSTRAINT late_unique UNIQUE (w)",
                                    "INSERT INTO t VALUES (3, 'c', 7)"});
    pipeline.check_equal({"t"});
    pipeline.on_source("CREATE INDEX later ON t (w)");
    pipeline.on_source("INSERT INTO t VALUES (4, 'd', 8)");
    pipeline.check_equal({"t"});
    CHECK(pipeline.target_scalar("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename "
                                 "= 't'") == "late late_unique later t_pkey");
    CHECK(contains(pipeline.worker().err(), "came with the copied schema"));
    // One that an application made on the target is not taken for the source's.
    pipeline.on_target("CREATE INDEX own ON t (v)");
    pipeline.on_source("CREATE INDEX own ON t (w)");
    CHECK(pipeline.worker().wait() != 0);
    CHECK(contains(pipeline.worker().err(), "\"own\" already exists"));
}

TEST_CASE("partitions attached and detached after the snapshot come with the schema, and again as tracked commands") {
    Late pipeline;
    pipeline.on_source(
        "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id); "
        "CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (1) TO (10)");
    pipeline.change_after_snapshot(
        {"--copy-and-stream", "--track-ddl", "--publish-via-partition-root"},
        {"CREATE TABLE r2 (id int PRIMARY KEY)", "ALTER TABLE r ATTACH PARTITION r2 FOR VALUES FROM (10) TO (20)",
         "ALTER TABLE r DETACH PARTITION r2", "DROP TABLE r2", "CREATE TABLE r3 (id int PRIMARY KEY)",
         "ALTER TABLE r ATTACH PARTITION r3 FOR VALUES FROM (10) TO (20)", "INSERT INTO r VALUES (5), (15)"});
    CHECK(eventually("the root has been copied again", [&] {
        return pipeline.worker().running() && pipeline.target_scalar("SELECT to_regclass('r') IS NOT NULL") == "t" &&
               pipeline.target_rows("r") == pipeline.source_rows("r");
    }));
    INFO(pipeline.worker().err());
    CHECK(pipeline.target_scalar("SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY 1) FROM pg_inherits WHERE "
                                 "inhparent = 'r'::regclass") == "r1 r3");
}

TEST_CASE("a table that was renamed or dropped since the snapshot stops the first start, too") {
    for (const Texts& replicator : {Texts{"--copy-and-stream"}, Texts{"--copy-and-stream", "--track-ddl"}}) {
        CAPTURE(replicator.size());
        Late pipeline;
        SUBCASE("renamed") {
            pipeline.change_after_snapshot(replicator, {"ALTER TABLE t RENAME TO u", "INSERT INTO u (id) VALUES (3)"});
            CHECK(pipeline.worker().wait() != 0);
            CHECK(contains(pipeline.worker().err(),
                           "the source's table has changed since the copy was taken: it was renamed to 'public.u'"));
            pipeline.copy_again(replicator);
            pipeline.on_source("INSERT INTO u (id) VALUES (4)");
            pipeline.check_equal({"u"});
        }
        SUBCASE("dropped") {
            pipeline.change_after_snapshot(replicator, {"DROP TABLE t"});
            CHECK(pipeline.worker().wait() != 0);
            CHECK(contains(pipeline.worker().err(),
                           "the source's table has changed since the copy was taken: it was dropped"));
            pipeline.copy_again(replicator);
            pipeline.settle();
        }
        CHECK(pipeline.target_scalar("SELECT to_regclass('t') IS NULL") == "t");
        pipeline.stop();
    }
}
