// --target-sync-schema from definitions: what pg_dump's way did not bring, and what rules leave out.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <variant>

#include "sinks/postgres/schema/source_schema.h"
#include "sql/connection.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr const char* forms = R"(
CREATE EXTENSION btree_gist;
CREATE SCHEMA s; COMMENT ON SCHEMA s IS 'its schema';
CREATE TYPE s.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE s.mood AS ENUM ('ok', 'bad'); COMMENT ON TYPE s.mood IS 'its type';
CREATE DOMAIN s.positive AS numeric(10, 2) DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0);
CREATE TYPE s.pair AS (a s.mood, b s.positive);
CREATE FUNCTION s.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 * 2 $$;
CREATE FUNCTION s.to_mood(int) RETURNS s.mood IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN $1 = 0 THEN 'ok' ELSE 'bad' END::s.mood $$;
CREATE CAST (int AS s.mood) WITH FUNCTION s.to_mood(int) AS ASSIGNMENT; CREATE CAST (s.pair AS s.mood) WITH INOUT;
CREATE FUNCTION s.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE SEQUENCE s.count AS int START 7 INCREMENT 3 CYCLE;
CREATE TABLE s.a (id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2) PRIMARY KEY, m s.mood DEFAULT 'ok', p s.pair,
    d s.positive, r s.span, n int DEFAULT nextval('s.count'), t text COLLATE "C", g int GENERATED ALWAYS AS (s.twice(7)) STORED,
    big text, CONSTRAINT few CHECK (n < 1000000) NOT VALID) WITH (fillfactor = 70);
ALTER TABLE s.a ALTER big SET STORAGE EXTERNAL;
ALTER TABLE s.a ADD CONSTRAINT apart EXCLUDE USING gist (n WITH =), ADD CONSTRAINT one UNIQUE (t);
COMMENT ON TABLE s.a IS 'its table'; COMMENT ON COLUMN s.a.t IS 'its column';
COMMENT ON CONSTRAINT one ON s.a IS 'its constraint'; COMMENT ON CONSTRAINT few ON s.a IS 'its check';
CREATE INDEX a_low ON s.a (lower(t) DESC, s.twice(n)) INCLUDE (m) WITH (fillfactor = 80) WHERE n > 3;
COMMENT ON INDEX s.a_low IS 'its index';
CREATE STATISTICS s.a_stats (dependencies) ON n, t FROM s.a; COMMENT ON STATISTICS s.a_stats IS 'its statistics';
CREATE TRIGGER stamp AFTER UPDATE OF t ON s.a FOR EACH ROW EXECUTE FUNCTION s.stamp();
ALTER TABLE s.a DISABLE TRIGGER stamp; COMMENT ON TRIGGER stamp ON s.a IS 'its trigger';
CREATE TABLE s.moods (m s.mood PRIMARY KEY); CREATE TABLE s.full_one (v text); ALTER TABLE s.full_one REPLICA IDENTITY FULL;
CREATE TABLE s.base (id int PRIMARY KEY, at date); CREATE TABLE s.child (more text, PRIMARY KEY (id)) INHERITS (s.base);
CREATE TABLE s.strict (PRIMARY KEY (id)) INHERITS (s.base); ALTER TABLE s.strict ALTER at SET NOT NULL, ALTER at SET DEFAULT '2026-01-01';
CREATE TABLE s.old (id int PRIMARY KEY, v text); CREATE TABLE s.old_parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE s.old_part PARTITION OF s.old_parts FOR VALUES FROM (0) TO (100);
INSERT INTO s.old VALUES (1, NULL), (9, 'x'); INSERT INTO s.old_parts SELECT * FROM s.old;
ALTER TABLE s.old ADD CONSTRAINT late CHECK (id > 5) NOT VALID; COMMENT ON CONSTRAINT late ON s.old IS 'its late check';
ALTER TABLE s.old_parts ADD CONSTRAINT late CHECK (id > 5) NOT VALID;
ALTER TABLE s.old_part ADD CONSTRAINT later CHECK (id > 6) NOT VALID;
CREATE TABLE s.p (id int, at date NOT NULL, a int REFERENCES s.a DEFERRABLE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE s.p1 PARTITION OF s.p (CHECK (id > 0)) FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE s.p2 (at date NOT NULL, id int NOT NULL, a int, CONSTRAINT p2_own PRIMARY KEY (id, at));
ALTER TABLE s.p ATTACH PARTITION s.p2 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE INDEX p_a ON s.p (a);
CREATE TABLE s.cast_one (id int PRIMARY KEY, m s.mood GENERATED ALWAYS AS (id::s.mood) STORED);
CREATE TABLE s.bare (id int GENERATED ALWAYS AS IDENTITY, at date NOT NULL DEFAULT now(), m s.mood REFERENCES s.moods,
    PRIMARY KEY (id, at), CHECK (id > 0)) PARTITION BY RANGE (at);
COMMENT ON TABLE s.bare IS 'its bare table'; CREATE INDEX bare_m ON s.bare (m); COMMENT ON INDEX s.bare_m IS 'its bare index';
CREATE STATISTICS s.bare_stats ON id, m FROM s.bare;
CREATE TABLE s.bare_below PARTITION OF s.bare FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);
INSERT INTO s.a (t) SELECT i::text FROM generate_series(1, 50) i; INSERT INTO s.full_one VALUES ('x');
INSERT INTO s.p SELECT i, '2026-03-04', 5 FROM generate_series(1, 20) i; INSERT INTO s.p VALUES (1, '2027-02-01', 7);
)";

constexpr const char* forms_of_15 = "ALTER TABLE s.a ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (id, big)";
constexpr const char* forms_of_17 =
    "ALTER TABLE s.p ADD CONSTRAINT parted EXCLUDE USING btree (id WITH =, at WITH =); CREATE TABLE s.numbered (id int "
    "GENERATED ALWAYS AS IDENTITY PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE s.numbered_low PARTITION OF "
    "s.numbered FOR VALUES FROM (0) TO (10)";
constexpr const char* forms_of_18 =
    "ALTER TABLE s.old ADD CONSTRAINT there NOT NULL v NOT VALID; ALTER TABLE s.old_parts ADD CONSTRAINT there NOT "
    "NULL v NOT VALID; ALTER TABLE s.old ADD v2 text GENERATED ALWAYS AS (v || 'x') VIRTUAL, ADD CONSTRAINT loose "
    "CHECK (id > 7) NOT ENFORCED; CREATE TABLE s.times (id int4range, at daterange, PRIMARY KEY (id, at WITHOUT "
    "OVERLAPS)); CREATE TABLE s.timed (id int PRIMARY KEY, of int4range, at daterange, FOREIGN KEY (of, PERIOD at) "
    "REFERENCES s.times (id, PERIOD at)); ALTER TABLE s.moods ADD again s.mood REFERENCES s.moods NOT ENFORCED";

// One line for each property of what lies in schema s, apart from owners. From PostgreSQL 18 on NOT NULL has a name:
// that of a child's which its parent has, too, is the parent's on the target.
constexpr const char* catalog = R"(
SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
WITH c AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = 's'::regnamespace)
SELECT concat_ws(' ', 'table', c.oid::regclass, c.relkind, c.reloptions::text, c.relreplident,
    pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid), (SELECT string_agg(inhparent::regclass::text, ',')
    FROM pg_inherits WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class')) AS line
FROM c WHERE relkind IN ('r', 'p')
UNION ALL SELECT concat_ws(' ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.attidentity, a.attgenerated, a.attstorage, a.attislocal, a.attinhcount, a.attcollation::regcollation,
    pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE relkind IN ('r', 'p')
UNION ALL SELECT concat_ws(' ', 'constraint', c.oid::regclass, CASE WHEN k.contype <> 'n' OR NOT k.conislocal OR
    k.coninhcount = 0 THEN k.conname END, pg_get_constraintdef(k.oid), k.convalidated,
    k.conislocal, k.coninhcount, obj_description(k.oid, 'pg_constraint')) FROM c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(c.oid), i.indisvalid, i.indisreplident, c.reloptions::text,
    (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class'))
FROM c JOIN pg_index i ON i.indexrelid = c.oid
UNION ALL SELECT concat_ws(' ', 'sequence', c.oid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqcycle)
FROM c JOIN pg_sequence s ON s.seqrelid = c.oid
UNION ALL SELECT concat_ws(' ', 'type', t.oid::regtype, t.typtype, t.typnotnull, t.typdefault, t.typtypmod,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(conname || pg_get_constraintdef(oid), ',') FROM pg_constraint WHERE contypid = t.oid),
    obj_description(t.oid, 'pg_type')) FROM pg_type t WHERE t.typnamespace = 's'::regnamespace AND t.typcategory <> 'A'
UNION ALL SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid), obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s
UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger')) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid)) FROM pg_proc p
WHERE p.pronamespace = 's'::regnamespace AND p.prolang IN (SELECT oid FROM pg_language WHERE lanname <> 'internal')
UNION ALL SELECT concat_ws(' ', 'cast', castsource::regtype, casttarget::regtype, castfunc::regproc, castmethod, castcontext)
FROM pg_cast WHERE oid >= 16384
UNION ALL SELECT 'schema ' || obj_description('s'::regnamespace, 'pg_namespace')
) x)";

std::string file_with(const std::string& name, const std::string& text) {
    const std::string path = temporary_directory("sync_definitions") + "/" + name;
    std::ofstream(path) << text;
    return path;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("catalogs are equal afterwards, read by a role that owns nothing and with pg_dump out of reach") {
    Pipeline pipeline;
    const std::string reader = "reader_" + pipeline.group();
    pipeline.on_source(forms);
    const int version = shared_servers().source.version();
    if (version >= 150000) pipeline.on_source(forms_of_15);
    if (version >= 170000) pipeline.on_source(forms_of_17);
    if (version >= 180000) pipeline.on_source(forms_of_18);
    pipeline.on_source(
        fmt::format("CREATE ROLE {0} LOGIN; GRANT USAGE ON SCHEMA s TO {0}; GRANT SELECT ON ALL TABLES IN "
                    "SCHEMA s TO {0}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA s TO {0}; GRANT SELECT ON "
                    "settled TO {0}",
                    reader));
    pipeline.start_replicator({"--copy-and-stream", "--schemas", "s,public"});
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--source-user", reader},
                          {{"PATH", temporary_directory("no_programs")}});
    pipeline.settle();
    for (const std::string table : {"s.a", "s.p", "s.p1", "s.full_one", "s.old", "s.old_part"}) {
        const std::string query =
            "SELECT string_agg(whole_row::text, ' ' ORDER BY whole_row::text) FROM " + table + " AS whole_row";
        CHECK(pipeline.source_scalar(query) == pipeline.target_scalar(query));
    }
    const auto expected = lines_of(pipeline.source_scalar(catalog));
    const auto found = lines_of(pipeline.target_scalar(catalog));
    CHECK(expected.size() > 60);
    CHECK_MESSAGE(expected == found, first_difference(expected, found));
    pipeline.stop();
}

TEST_CASE("what a rule hides is not in the definitions either, and tables that share a target are made as rows come") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('ok', 'bad'); CREATE DOMAIN s.feeling AS s.mood; CREATE TABLE "
        "felt (id int PRIMARY KEY, m s.feeling[]); INSERT INTO felt VALUES (1, '{ok}'); CREATE TABLE computed (id int "
        "PRIMARY KEY, mail text, of_mail text GENERATED ALWAYS AS (mail || 'x') STORED); INSERT INTO computed VALUES "
        "(1, 'canary'); CREATE TABLE person (id int PRIMARY KEY, mail text NOT NULL DEFAULT 'canary@example.org' CHECK "
        "(mail <> "
        "'canary-check'), gone text DEFAULT 'canary-gone', city text DEFAULT 'Rome'); COMMENT ON COLUMN person.mail IS "
        "'canary-comment'; CREATE INDEX person_mail ON person (mail) WHERE mail > 'canary-index'; CREATE INDEX "
        "person_city ON person (city); CREATE TABLE north (id int PRIMARY KEY, v int UNIQUE); CREATE TABLE south (id "
        "int "
        "PRIMARY KEY, v int UNIQUE); INSERT INTO person VALUES (1, 'canary-mail', 'canary-row', 'Oslo'); INSERT INTO "
        "north VALUES (1, 7); INSERT INTO south VALUES (2, 7); CREATE TABLE bare (id int PRIMARY KEY, mail text "
        "DEFAULT "
        "'canary-bare', gone text DEFAULT 'canary-gone') PARTITION BY RANGE (id)");
    const std::string rules = file_with("rules.yaml",
                                        "tables:\n  person:\n    - {type: transform, column: mail, parameters: {type: "
                                        "mask, mask_char: '*'}}\n    - {type: exclude_column, column: gone}\n  "
                                        "bare:\n    - {type: transform, column: mail, parameters: {type: mask, "
                                        "mask_char: '*'}}\n    - {type: exclude_column, column: gone}\n  "
                                        "computed:\n    - {type: transform, column: mail, parameters: {type: mask, "
                                        "mask_char: '*'}}\n");
    const std::string routes =
        file_with("routes.yaml",
                  "north: {source_table: north, destination_table: both}\nsouth: {source_table: south, "
                  "destination_table: both}\nperson: {source_table: person, destination_table: crm.people, "
                  "column_mappings: [{source: city, destination: town}]}\nbare: {source_table: bare, "
                  "destination_table: crm.without}\n");
    pipeline.start_replicator();
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--rules-config", rules,
                           "--routing-config", routes});
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM \"both\"") == "2");
    CHECK(pipeline.target_scalar("SELECT string_agg(attname || coalesce(' ' || pg_get_expr(adbin, adrelid), ''), ',' "
                                 "ORDER BY attnum) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND "
                                 "adnum = attnum WHERE attrelid = 'crm.people'::regclass AND attnum > 0") ==
          "id,mail,town 'Rome'::text");
    CHECK(
        pipeline.target_scalar("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname "
                               "= 'crm'") == "bare_pkey person_city person_pkey");
    CHECK(pipeline.target_scalar("SELECT town FROM crm.people") == "Oslo");
    CHECK(pipeline.target_scalar(
              "SELECT relkind::text || string_agg(' ' || attname, '' ORDER BY attnum) FROM pg_class JOIN "
              "pg_attribute ON pg_class.oid = attrelid WHERE attrelid = "
              "'crm.without'::regclass AND attnum > 0 GROUP BY relkind") == "p id mail");
    CHECK(pipeline.target_scalar("SELECT m FROM felt") == "{ok}");
    CHECK(pipeline.target_scalar("SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = "
                                 "'computed'::regclass AND attnum > 0") == "id mail");
    for (const char* query : {"SELECT count(*) FROM pg_description WHERE description ~ 'canary'",
                              "SELECT count(*) FROM pg_constraint WHERE pg_get_constraintdef(oid) ~ 'canary'",
                              "SELECT count(*) FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) ~ 'canary'",
                              "SELECT count(*) FROM pg_indexes WHERE indexdef ~ 'canary'",
                              "SELECT count(*) FROM crm.people WHERE people::text ~ 'canary'"})
        CHECK(pipeline.target_scalar(query) == "0");
    pipeline.stop();
}

TEST_CASE("triggers of tables that are routed elsewhere") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE t (id int PRIMARY KEY, v text, mail text); CREATE FUNCTION stamp() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER one BEFORE UPDATE OF v ON t FOR EACH ROW WHEN (new.v "
        "<> "
        "'') EXECUTE FUNCTION stamp(); COMMENT ON TRIGGER one ON t IS 'its trigger'; CREATE CONSTRAINT TRIGGER two "
        "AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE t ENABLE REPLICA TRIGGER two; "
        "CREATE TRIGGER three BEFORE INSERT ON t FOR EACH ROW WHEN (new.mail <> 'canary') EXECUTE FUNCTION stamp()");
    const std::string rules =
        file_with("rules.yaml",
                  "tables:\n  t:\n    - {type: transform, column: mail, parameters: {type: mask, mask_char: '*'}}\n");
    const std::string routes = file_with(
        "routes.yaml",
        "t: {source_table: t, destination_table: crm.other, column_mappings: [{source: v, destination: w}]}\n");
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--ddl-objects", "triggers"});
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--rules-config", rules,
                           "--routing-config", routes});
    pipeline.settle();
    constexpr const char* triggers =
        "SELECT string_agg(concat_ws(' ', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger')), "
        "E'\\n' "
        "ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal";
    const std::string first =
        "CREATE TRIGGER one BEFORE UPDATE OF w ON crm.other FOR EACH ROW WHEN ((new.w <> ''::text)) EXECUTE FUNCTION "
        "stamp() O\n";
    const std::string second =
        "CREATE CONSTRAINT TRIGGER two AFTER INSERT ON crm.other DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE "
        "FUNCTION stamp() R";
    CHECK(pipeline.target_scalar(triggers) == first + second);
    CHECK(says(pipeline.worker(), "not created on the target: trigger 'three' on 'crm.other': it names columns that"));
    pipeline.on_source("DROP TRIGGER one ON t; ALTER TABLE t DISABLE TRIGGER two");
    pipeline.settle();
    CHECK(pipeline.target_scalar(triggers) == second.substr(0, second.size() - 1) + "D");
    pipeline.stop();
}

// A partition's maintenance drops while the worker is waiting for the table above it.
TEST_CASE("a partition that is dropped while the schema is read is left out") {
    PostgresServer& server = shared_postgres();
    const std::string database = server.create_database();
    server.sql(database,
               "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); "
               "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); "
               "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2) TO (3)");
    pgsluice::sql::Connection maintenance(server.connect(database));
    maintenance.exec("BEGIN; DROP TABLE public.p1");
    pgsluice::sql::Connection source(server.connect(database));
    source.exec("SET search_path = ''");
    std::jthread drops([&] {
        eventually("the reader waits",
                   [&] { return server.scalar(database, "SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; });
        maintenance.exec("COMMIT");
    });
    const auto schema = pgsluice::read_source_schema(source, {{"public", "p"}}, 30'000);
    std::vector<std::string> tables;
    for (const auto& object : schema.objects.objects)
        if (const auto* table = std::get_if<pgsluice::TableDefinition>(&*object.after)) tables.push_back(table->name);
    std::sort(tables.begin(), tables.end());
    CHECK(tables == std::vector<std::string>{"p", "p2"});
}
