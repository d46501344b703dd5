// What columns with rules hold does not show in the definitions that come with DDL: not in lines, not on a target.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

// v, w and y are masked, x is excluded; `shown` and z have no rule.
constexpr const char* rules_text = R"(
tables:
  t:
    - {type: transform, column: v, parameters: {type: mask}}
    - {type: transform, column: w, parameters: {type: mask}}
    - {type: transform, column: y, parameters: {type: mask}}
    - {type: exclude_column, column: x}
  root:
    - {type: transform, column: v, parameters: {type: mask}}
)";

const Texts commands = {
    "ALTER TABLE t ALTER v SET DEFAULT 'canary'",
    "ALTER TABLE t ALTER w SET DEFAULT 'canary', ADD COLUMN shown text DEFAULT 'shown'",
    "INSERT INTO t (id, v, w) VALUES (2, 'canary', 'canary')",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (v <> 'canary' OR id > 0), ADD CONSTRAINT d CHECK (id > 0)",
    "COMMENT ON COLUMN t.v IS 'canary'; COMMENT ON TABLE t IS 'canary'; COMMENT ON CONSTRAINT c ON t IS 'canary'",
    "COMMENT ON COLUMN t.shown IS 'a comment'",
    "CREATE INDEX partial ON t (id) WHERE v <> 'canary'",
    "CREATE INDEX computed ON t ((v || 'canary'))",
    "COMMENT ON INDEX partial IS 'canary'",
    "CREATE INDEX plain ON t (shown)",
    "CREATE STATISTICS s ON (v || 'canary'), id FROM t",
    "COMMENT ON TYPE mood IS 'canary'",
    "ALTER TABLE t ALTER x SET DEFAULT 'canary'",
    "ALTER TYPE mood ADD VALUE 'canary too'",
    "ALTER TYPE mood RENAME VALUE 'canary' TO 'the canary'",
    "CREATE DOMAIN d AS text DEFAULT 'canary' CHECK (VALUE <> 'canary ')",
    "ALTER TABLE t ALTER y TYPE d",
    "ALTER DOMAIN d ADD CHECK (VALUE <> 'canary!'); COMMENT ON DOMAIN d IS 'canary'",
    "ALTER DOMAIN d SET DEFAULT 'canary?'",
    "CREATE TYPE size AS ENUM ('small', 'large')",
    "ALTER TABLE t ADD COLUMN z size DEFAULT 'small'",
    "ALTER TYPE size ADD VALUE 'huge'",
    "ALTER TABLE root ALTER v SET DEFAULT 'canary'",
    "CREATE TABLE p1 PARTITION OF root (CHECK (v <> 'canary')) FOR VALUES FROM (0) TO (9)",
    "CREATE INDEX p1_i ON p1 (id) WHERE v <> 'canary'",
    "CREATE STATISTICS p1_s ON (v || 'canary'), id FROM p1",
    "COMMENT ON TABLE p1 IS 'canary'; COMMENT ON COLUMN p1.v IS 'canary'; COMMENT ON INDEX p1_i IS 'canary'",
    "INSERT INTO root VALUES (1, 'the canary'); UPDATE t SET v = 'canary' WHERE id = 1",
    "DROP INDEX partial; ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ALTER v DROP DEFAULT",
    "DROP TABLE p1",
};

// All that the catalogs and tables of schema public hold as text.
constexpr const char* everything =
    "SELECT concat_ws(' ', (SELECT string_agg(pg_get_expr(adbin, adrelid), ' ') FROM pg_attrdef), "
    "(SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint), "
    "(SELECT string_agg(pg_get_indexdef(indexrelid), ' ') FROM pg_index WHERE indrelid > 16384), "
    "(SELECT string_agg(pg_get_statisticsobjdef(oid), ' ') FROM pg_statistic_ext), "
    "(SELECT string_agg(description, ' ') FROM pg_description WHERE objoid > 16384), "
    "(SELECT string_agg(enumlabel, ' ') FROM pg_enum), (SELECT string_agg(typdefault, ' ') FROM pg_type), "
    "(SELECT string_agg(t::text, ' ') FROM t))";

}  // namespace

TEST_CASE("a canary in defaults, checks, comments, indexes, statistics, enum labels and domains") {
    const TextFile rules(rules_text);
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TYPE mood AS ENUM ('canary', 'other'); CREATE TABLE t (id int PRIMARY KEY, v text, w text, x mood, y "
        "text); CREATE TABLE root (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); INSERT INTO t VALUES (1, 'a', "
        "'canary', 'canary', 'canary')");
    pipeline.on_target(
        "CREATE TABLE t (id int PRIMARY KEY, v text, w text, y text); CREATE TABLE root (id int PRIMARY KEY, v text) "
        "PARTITION BY RANGE (id)");
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    for (const std::string& command : commands) {
        CAPTURE(command);
        pipeline.on_source(command);
        pipeline.settle();
        CHECK_FALSE(contains(pipeline.target_scalar(everything), "canary"));
    }
    CHECK(pipeline.target_scalar("SELECT concat_ws(' ', v, w, shown, y, z) FROM t WHERE id = 1") ==
          "c****y c****y shown c****y small");
    CHECK(pipeline.target_scalar("SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint "
                                 "WHERE conrelid = 't'::regclass") == "d t_pkey");
    CHECK(pipeline.target_scalar("SELECT enum_range(NULL::size)") == "{small,large,huge}");

    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
    const Finished lines = run(pipeline.worker_argv(
        "stdout", {"--worker-name", "lines", "--rules-config", rules.path(), "--exit-at-lsn", end}));
    CHECK(lines.code == 0);
    CHECK_FALSE(contains(lines.out + lines.err, "canary"));
    CHECK(contains(lines.out, "DEFAULT 'shown'::text"));
    CHECK(contains(lines.out, "a comment"));
    CHECK(contains(lines.out, R"(\"plain\")"));
    CHECK(contains(lines.out, "huge"));
    CHECK_FALSE(contains(pipeline.worker().err(), "canary"));
    pipeline.stop();
}
