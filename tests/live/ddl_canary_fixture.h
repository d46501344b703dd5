// DDL commands that hold a canary wherever a command can, about columns with rules, and the tables that they are for.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test::ddl_canary {

// v, w and y are masked, x is excluded; `shown` and z have no rule.
inline constexpr const char* rules_text = R"(
tables:
  t:
    - {type: transform, column: v, parameters: {type: mask}}
    - {type: transform, column: w, parameters: {type: mask}}
    - {type: transform, column: y, parameters: {type: mask}}
    - {type: exclude_column, column: x}
  root:
    - {type: transform, column: v, parameters: {type: mask}}
)";

inline const std::vector<std::string> commands = {
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
inline constexpr const char* everything =
    "SELECT concat_ws(' ', (SELECT string_agg(pg_get_expr(adbin, adrelid), ' ') FROM pg_attrdef), "
    "(SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint), "
    "(SELECT string_agg(pg_get_indexdef(indexrelid), ' ') FROM pg_index WHERE indrelid > 16384), "
    "(SELECT string_agg(pg_get_statisticsobjdef(oid), ' ') FROM pg_statistic_ext), "
    "(SELECT string_agg(description, ' ') FROM pg_description WHERE objoid > 16384), "
    "(SELECT string_agg(enumlabel, ' ') FROM pg_enum), (SELECT string_agg(typdefault, ' ') FROM pg_type), "
    "(SELECT string_agg(t::text, ' ') FROM t))";

inline void make_tables(Pipeline& pipeline) {
    pipeline.on_source(
        "CREATE TYPE mood AS ENUM ('canary', 'other'); CREATE TABLE t (id int PRIMARY KEY, v text, w text, x mood, y "
        "text); CREATE TABLE root (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); INSERT INTO t VALUES (1, 'a', "
        "'canary', 'canary', 'canary')");
    pipeline.on_target(
        "CREATE TABLE t (id int PRIMARY KEY, v text, w text, y text); CREATE TABLE root (id int PRIMARY KEY, v text) "
        "PARTITION BY RANGE (id)");
}

// What of it has no rule.
inline void check_shown(Pipeline& pipeline) {
    // A column's new type had the table copied again, perhaps only now.
    CHECK(eventually("the rows are there", [&] {
        return pipeline.target_scalar("SELECT concat_ws(' ', v, w, shown, y, z) FROM t WHERE id = 1") ==
               "c****y c****y shown c****y small";
    }));
    CHECK(pipeline.target_scalar("SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint "
                                 "WHERE conrelid = 't'::regclass AND contype <> 'n'") == "d t_pkey");
    CHECK(pipeline.target_scalar("SELECT enum_range(NULL::size)") == "{small,large,huge}");
}

}  // namespace pgsluice::test::ddl_canary
