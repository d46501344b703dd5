#include "tests/support/ddl_form_parts.h"

namespace pgsluice::test::forms {

std::vector<DdlForm> of_types_sequences_schemas() {
    return {
        {mood, "ALTER TYPE mood ADD VALUE 'happy'"},
        {mood, "ALTER TYPE mood ADD VALUE 'awful' BEFORE 'sad'; ALTER TYPE mood ADD VALUE 'so' AFTER 'sad'"},
        {mood, "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'"},
        {mood, "ALTER TYPE mood RENAME TO feeling; ALTER TABLE t ADD COLUMN n int"},
        {mood, "COMMENT ON TYPE mood IS 'how'"},
        {mood, "ALTER TABLE t ADD COLUMN n mood DEFAULT 'sad'"},
        {mood,
         "CREATE TYPE new_mood AS ENUM ('ok', 'great'); ALTER TABLE t ALTER m DROP DEFAULT, ALTER m TYPE new_mood "
         "USING m::text::new_mood, ALTER m SET DEFAULT 'great'; DROP TYPE mood; ALTER TYPE new_mood RENAME TO mood"},
        {table, "CREATE TYPE c AS (a int, b text); ALTER TABLE t ADD COLUMN n c DEFAULT ROW(1, 'x')"},
        {"CREATE TYPE c AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY)",
         "ALTER TYPE c ADD ATTRIBUTE d date, DROP ATTRIBUTE b, ALTER ATTRIBUTE a TYPE bigint; ALTER TYPE c RENAME "
         "ATTRIBUTE a TO aa; ALTER TABLE t ADD COLUMN n c"},
        {table, "CREATE DOMAIN d AS int DEFAULT 3 CHECK (VALUE > 0); ALTER TABLE t ADD COLUMN n d"},
        {"CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, n d)",
         "ALTER DOMAIN d SET DEFAULT 4; ALTER DOMAIN d SET NOT NULL; ALTER DOMAIN d ADD CONSTRAINT p CHECK (VALUE > "
         "0)"},
        {"CREATE DOMAIN d AS int CONSTRAINT p CHECK (VALUE > 0); CREATE TABLE t (id int PRIMARY KEY, n d)",
         "ALTER DOMAIN d RENAME CONSTRAINT p TO q; ALTER DOMAIN d DROP CONSTRAINT q; ALTER DOMAIN d RENAME TO e"},
        {table, "CREATE TYPE r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi); ALTER TABLE t ADD COLUMN n r"},
        {table,
         "CREATE SEQUENCE s START 5 INCREMENT 2 MAXVALUE 100 CYCLE; ALTER TABLE t ALTER id SET DEFAULT nextval('s')"},
        {"CREATE TABLE t (id serial PRIMARY KEY)",
         "ALTER SEQUENCE t_id_seq INCREMENT 10; ALTER SEQUENCE t_id_seq RENAME TO s"},
        {"CREATE TABLE t (id serial PRIMARY KEY)",
         "ALTER SEQUENCE t_id_seq OWNED BY NONE; ALTER TABLE t ALTER id DROP DEFAULT"},
        {"CREATE TABLE t (id serial PRIMARY KEY, v text)", "ALTER TABLE t DROP COLUMN id"},
        {table,
         "CREATE SCHEMA f2 CREATE TABLE u (id int PRIMARY KEY); COMMENT ON SCHEMA f2 IS 'x'; DROP SCHEMA f2 CASCADE"},
        {table, "DO $$BEGIN ALTER TABLE f.t ADD COLUMN n int DEFAULT 1; EXECUTE 'CREATE INDEX i ON f.t (n)'; END$$"},
        {table,
         "BEGIN; ALTER TABLE t ADD COLUMN n int; SAVEPOINT s; DROP TABLE t; ROLLBACK TO s; ALTER TABLE t RENAME n "
         "TO m; COMMIT"},
        {mood, "ALTER TABLE t ADD COLUMN ms mood[] DEFAULT '{ok,sad}'"},
        {mood, "DROP TYPE mood CASCADE"},
        {mood, "CREATE SCHEMA f2; ALTER TYPE mood SET SCHEMA f2; ALTER TABLE t ADD COLUMN n int"},
        {"CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, n d)", "DROP DOMAIN d CASCADE"},
        {"CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, n d)",
         "ALTER DOMAIN d ADD CONSTRAINT p CHECK (VALUE > 0) NOT VALID; ALTER DOMAIN d VALIDATE CONSTRAINT p; COMMENT "
         "ON "
         "DOMAIN d IS 'x'"},
        {table, "CREATE DOMAIN d AS text COLLATE \"C\" CHECK (VALUE <> 'x'); ALTER TABLE t ALTER v TYPE d"},
        {"CREATE TYPE c AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY, n c); INSERT INTO t VALUES (1, "
         "'(1,x)')",
         "ALTER TYPE c RENAME TO d; ALTER TYPE d ADD ATTRIBUTE z int"},
        {table, "CREATE SEQUENCE s; ALTER SEQUENCE s OWNED BY t.id; ALTER TABLE t ALTER id SET DEFAULT nextval('s')"},
        {"CREATE TABLE t (id serial PRIMARY KEY, v text)",
         "ALTER TABLE t ALTER id DROP DEFAULT; DROP SEQUENCE t_id_seq"},
        {table, "BEGIN; ALTER TABLE t ADD COLUMN n int; ROLLBACK"},
    };
}

}  // namespace pgsluice::test::forms
