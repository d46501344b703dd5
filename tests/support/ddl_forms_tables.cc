#include "tests/support/ddl_form_parts.h"

namespace pgsluice::test::forms {

std::vector<DdlForm> of_tables_and_indexes() {
    return {
        {table, "ALTER TABLE t RENAME TO u"},
        {table, "CREATE SCHEMA f2; ALTER TABLE t SET SCHEMA f2; DROP SCHEMA f2 CASCADE"},
        {table, "DROP TABLE t"},
        {table, "DROP TABLE IF EXISTS no_such, t"},
        {table, "ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = false)"},
        {table, "ALTER TABLE t SET (fillfactor = 70); ALTER TABLE t RESET (fillfactor)"},
        {table, "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"},
        {table, "ALTER TABLE t REPLICA IDENTITY FULL"},
        {"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')",
         "ALTER TABLE t ALTER v SET NOT NULL; CREATE UNIQUE INDEX i ON t (v); ALTER TABLE t REPLICA IDENTITY USING "
         "INDEX i"},
        {table,
         "COMMENT ON TABLE t IS 'it''s a table'; COMMENT ON COLUMN t.v IS 'value'; COMMENT ON CONSTRAINT t_pkey ON t "
         "IS 'k'"},
        {table, "COMMENT ON TABLE t IS 'x'; COMMENT ON TABLE t IS NULL"},
        {table, "CREATE INDEX ON t (v)"},
        {table, "CREATE UNIQUE INDEX \"I one\" ON t (lower(v), id DESC NULLS LAST) INCLUDE (v) WHERE v <> ' ON '"},
        {table, "CREATE INDEX t_concurrently_idx ON t USING hash (v)"},
        {table, "CREATE INDEX i ON t (v text_pattern_ops) WITH (fillfactor = 60)"},
        {table, "CREATE INDEX i ON t (v); DROP INDEX i; CREATE INDEX i ON t (v)"},
        {table, "CREATE INDEX i ON t (v); ALTER INDEX i RENAME TO j"},
        {table, "CREATE INDEX i ON t (v); ALTER INDEX i SET (fillfactor = 50); COMMENT ON INDEX i IS 'x'"},
        {table, "CREATE INDEX i ON t (v); ALTER TABLE t RENAME v TO w"},
        {table, "CREATE INDEX i ON t (v, id); ALTER TABLE t DROP COLUMN v"},
        {table, "CREATE INDEX i ON t (id); ALTER TABLE t ALTER id TYPE bigint", {.convert = true}},
        {table, "CREATE STATISTICS s (dependencies, ndistinct) ON id, v FROM t; COMMENT ON STATISTICS s IS 'x'"},
        {table, "CREATE STATISTICS s ON (id % 10), v FROM t; ALTER STATISTICS s RENAME TO s2"},
        {table, "CREATE STATISTICS s ON id, v FROM t; DROP STATISTICS s"},
        {table, "CREATE STATISTICS s ON id, v FROM t; ALTER STATISTICS s SET STATISTICS 7"},
        {table, "CREATE TABLE u (LIKE t INCLUDING ALL)"},
        {table, "CREATE TABLE u AS SELECT id * 2 AS a, v FROM t; ALTER TABLE u ADD PRIMARY KEY (a)"},
        {table,
         "CREATE TABLE u (id serial PRIMARY KEY, t int REFERENCES t, n numeric(10,2) DEFAULT 3.5 CHECK (n > 0), "
         "UNIQUE (t, n)); CREATE INDEX ON u (n)"},
        {table, "CREATE TABLE u (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"},
        {table, "CREATE TABLE \"Odd \"\"name\" (\"from\" int PRIMARY KEY, \"a b\" text DEFAULT 'x')"},
        {table, "CREATE TABLE u (PRIMARY KEY (x), x int) WITH (fillfactor = 90)"},
        {table, "CREATE TABLE u (k int PRIMARY KEY) INHERITS (t)"},
        {table, "CREATE TABLE u (k int PRIMARY KEY) INHERITS (t); ALTER TABLE t ADD COLUMN n int DEFAULT 6"},
        {"CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (k int PRIMARY KEY) INHERITS (t)",
         "ALTER TABLE t ALTER v SET NOT NULL"},
        {table,
         "CREATE UNLOGGED TABLE u (k int PRIMARY KEY) INHERITS (t); ALTER TABLE u ALTER v SET NOT NULL, ALTER v SET "
         "DEFAULT 'x'; ALTER TABLE u SET LOGGED"},
        {table,
         "CREATE TABLE u (id int NOT NULL, v text, k int PRIMARY KEY); ALTER TABLE u INHERIT t; ALTER TABLE u NO "
         "INHERIT t"},
        {table, "CREATE INDEX CONCURRENTLY i ON t (v)", {.alone = true}},
        {table, "create index concurrently \"i\" on \"t\" (\"v\")", {.alone = true}},
        {table, "CREATE INDEX i ON t (v); DROP INDEX CONCURRENTLY i", {.alone = true}},
        {table, "CREATE INDEX i ON t (v); REINDEX INDEX CONCURRENTLY i; COMMENT ON INDEX i IS 'x'", {.alone = true}},
        {table, "CREATE INDEX i ON t (v); REINDEX TABLE t"},
        {table, "VACUUM FULL t", {.alone = true}},
        {table, "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (7, 7)"},
        {table,
         "CREATE TABLE u (LIKE t INCLUDING ALL); INSERT INTO u SELECT * FROM t; ALTER TABLE t RENAME TO x; ALTER TABLE "
         "u "
         "RENAME TO t; DROP TABLE x"},
        {table, "SELECT id + 5 AS a INTO u FROM t; ALTER TABLE u ADD PRIMARY KEY (a)"},
        {table, "CREATE TABLE u AS SELECT id AS a FROM t; ALTER TABLE u REPLICA IDENTITY FULL"},
        {table,
         "CREATE TABLE u (a int); INSERT INTO u VALUES (1)",
         {.differs = "left out until it has a key or REPLICA IDENTITY FULL; the replicator's log says so"}},
        {table, "CREATE UNLOGGED TABLE u (id int PRIMARY KEY)", {.differs = "unlogged tables are not replicated"}},
        {table, "CREATE UNLOGGED TABLE u (id int PRIMARY KEY); ALTER TABLE u SET LOGGED; INSERT INTO u VALUES (1)"},
        {table, "CREATE TEMP TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)"},
        {table, "CREATE SCHEMA f2; CREATE TABLE f2.t (id int PRIMARY KEY, v text); INSERT INTO f2.t VALUES (1, 'x')"},
        {table,
         "CREATE TABLE a (id int, PRIMARY KEY (id)); CREATE TABLE b (id int, PRIMARY KEY (id)); CREATE TABLE c (k int) "
         "INHERITS (a, b); INSERT INTO c VALUES (1, 2)",
         {.differs = "a child without a key of its own comes without rows, as all tables without one are left out; the "
                     "replicator's log says so"}},
    };
}

}  // namespace pgsluice::test::forms
