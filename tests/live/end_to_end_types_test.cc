// No value changes on the way, and a value is the same text whether it came by snapshot or by stream.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

// A column of every kind PostgreSQL has to offer, and rows that are hard on each.
constexpr const char* types = R"(
    CREATE EXTENSION hstore;
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'very, "happy"', 'ü\n');
    CREATE TYPE point3 AS (x int, y text, z numeric[]);
    CREATE TYPE floats AS RANGE (subtype = float8, multirange_type_name = multifloats);
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE DOMAIN moods AS mood[];)";

constexpr const char* columns = R"(
    id int PRIMARY KEY, b boolean, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, n2 numeric(8, 3),
    m money, t text, v varchar(20), c char(5), nm name, qc "char", by bytea, d date, ti time(6), tz timetz, ts timestamp,
    tstz timestamptz, iv interval, u uuid, ip inet, net cidr, mac macaddr, mac8 macaddr8, bi bit(5), vb bit varying,
    j json, jb jsonb, jp jsonpath, x xml, pt point, ln line, ls lseg, bo box, pa path, po polygon, ci circle,
    tsv tsvector, tsq tsquery, lsn pg_lsn, o oid, rc regclass, x8 xid8, sn pg_snapshot,
    r4 int4range, r8 int8range, nr numrange, dr daterange, tr tsrange, tzr tstzrange, fr floats,
    mr4 int4multirange, mnr nummultirange, mtz tstzmultirange, mfr multifloats,
    e mood, p3 point3, po_i positive, dm moods, h hstore,
    ai int[], at text[], aat text[][], an numeric[], aby bytea[], aj jsonb[], ats timestamptz[], ap3 point3[],
    ae mood[], ar int4range[], ab boolean[], ah hstore[])";

constexpr const char* rows = R"(
    INSERT INTO copied (id) VALUES (1);
    INSERT INTO copied (id, b, i2, i4, i8, f4, f8, n, n2, m, t, v, c, nm, qc, by)
    VALUES (2, true, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', 99999.999, '-12.34', '', '',
            '', '', '', ''),
           (3, false, 32767, 2147483647, 9223372036854775807, 1e-45, 5e-324, 'Infinity', -0.001, '92233720368547758.07',
            E'tab\tnewline\nreturn\rbackslash\\quote''"', '\N', ' a', 'NULL', 'x', '\x00ff5c4e'),
           (4, NULL, 0, 0, 0, '-0', 1.7976931348623157e308, repeat('9', 1000)::numeric, 0, 0,
            E'\\.', E'\\N', E'\\t', 'a"b', E'\\', '\x0a0d09'),
           (5, NULL, 0, 0, 0, 0.1, 0.1, ('0.' || repeat('0', 999) || '1')::numeric, 1.5, 0,
            E'\u0001\u007f\u00e9\u20ac\U0001F600', '{}', 'NULL', '', 'e', decode(repeat('00', 3000), 'hex'));
    INSERT INTO copied (id, d, ti, tz, ts, tstz, iv)
    VALUES (10, '4713-01-01 BC', '24:00', '24:00+15:59', '4713-01-01 00:00 BC', '4713-01-02 00:00+00 BC', '-178000000 years'),
           (11, 'infinity', '00:00:00.000001', '23:59:59.999999-15:59', '-infinity', 'infinity', '1 mon -1 day 00:00:00.000001'),
           (12, '5874897-12-31', '12:34:56.789', '12:34:56.789+05:30', '294276-12-31 23:59:59.999999',
            '2024-03-31 02:30:00.123456 Europe/Berlin', '-1 years -2 mons +3 days -04:05:06.7'),
           (13, '-infinity', NULL, NULL, 'infinity', '-infinity', '0');
    INSERT INTO copied (id, u, ip, net, mac, mac8, bi, vb, j, jb, jp, x)
    VALUES (20, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
            B'10101', B'', '{"a" :  1, "a": 2, "n": 1.000, "u": "\u00e9\\"}', '{"b": [1, 2.50, 1e400], "a": null}',
            'strict $.a[*] ? (@.b == "x")', '<a b="c">&amp; ä <!-- x --></a>'),
           (21, NULL, '192.168.0.1/24', '2001:db8::/32', NULL, NULL, B'00000', B'1111111111', 'null', 'null', '$', 'text only'),
           (22, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'[1,\n 2]', '""', NULL, '');
    INSERT INTO copied (id, pt, ln, ls, bo, pa, po, ci, tsv, tsq, lsn, o, rc, x8, sn)
    VALUES (30, '(0.1,-1e300)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(1,1)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))',
            '<(1,2),3>', $$'a':1A,2 'b c':3 'd''e'$$, $$'a' & !'b' <-> 'c d':*A$$, '16/B374D848', 4294967295, 'pg_class',
            '18446744073709551615', '10:20:10,14,15'),
           (31, '(NaN,Infinity)', '{0,-1,5}', NULL, NULL, '((0,0),(1,1))', NULL, NULL, '', '', '0/0', 0, NULL, '0', NULL);
    INSERT INTO copied (id, r4, r8, nr, dr, tr, tzr, fr, mr4, mnr, mtz, mfr)
    VALUES (40, 'empty', '(,)', '[1.10,2.200)', '[2024-01-01,)', '["2024-01-01 10:00",infinity]',
            '[2024-01-01 10:00+02,2024-01-02 00:00+00)', '[-Infinity,0.1]', '{}', '{[1,2),(3,)}',
            '{[2024-01-01 00:00+00,2024-01-02 00:00+00),[2025-01-01 00:00+00,)}', '{[0.1,0.2]}'),
           (41, '[1,10)', '[-5,5]', '(,0)', 'empty', NULL, NULL, NULL, '{[1,3),[5,7)}', NULL, NULL, NULL);
    INSERT INTO copied (id, e, p3, po_i, dm, h, ai, at, aat, an, aby, aj, ats, ap3, ae, ar, ab, ah)
    VALUES (50, 'very, "happy"', ROW(1, 'a,"b"\c(', ARRAY[1.0, NULL]), 1, '{sad,NULL}', '"a b"=>"c\"d", "n"=>NULL, ""=>""',
            '[-1:1]={1,NULL,3}', ARRAY['', NULL, 'NULL', 'a,b', '{"}', '\'], '{{a,b},{c,NULL}}', '{NaN,1.10,NULL}',
            ARRAY['\x00'::bytea, ''], ARRAY['{"a": "}"}'::jsonb, 'null', NULL],
            ARRAY['infinity'::timestamptz, '0044-03-15 12:00+00 BC'],
            ARRAY[ROW(1, NULL, NULL)::point3, NULL, ROW(NULL, '', '{}')::point3], '{sad,"very, \"happy\"",NULL}',
            ARRAY['empty'::int4range, '[1,5)'], '{t,f,NULL}', ARRAY['a=>1'::hstore, NULL, '']),
           (51, 'ü\n', ROW(NULL, NULL, NULL), NULL, '{}', '', '{}', '{}', '[2:2][0:1]={{x,y}}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
            '{}', '{}');)";

struct Zoo : Pipeline {
    explicit Zoo(const std::string& encoding = "UTF8") : Pipeline(shared_servers(), encoding) {
        on_both(types);
        on_both(std::string("CREATE TABLE copied (") + columns +
                "); CREATE TABLE streamed (LIKE copied INCLUDING ALL)");
    }
};

}  // namespace

TEST_CASE("every type is the same text by snapshot and by stream") {
    Zoo zoo;
    zoo.on_source(rows);
    zoo.start();
    zoo.check_equal({"copied"});
    CHECK(zoo.target_rows("copied").size() == 18);

    zoo.on_source("INSERT INTO streamed SELECT * FROM copied");
    zoo.check_equal({"streamed"});
    CHECK(zoo.target_rows("copied") == zoo.target_rows("streamed"));

    // The same by UPDATE, all columns at once, onto empty rows.
    zoo.on_source("INSERT INTO streamed (id) SELECT id + 1000 FROM copied");
    std::string assignments = zoo.source_scalar(
        "SELECT string_agg(format('%I = c.%I', attname, attname), ', ') FROM pg_attribute "
        "WHERE attrelid = 'copied'::regclass AND attnum > 1");
    zoo.on_source("UPDATE streamed AS s SET " + assignments + " FROM copied AS c WHERE s.id = c.id + 1000");
    zoo.check_equal({"streamed"});
    zoo.stop();
}

TEST_CASE("NULL, the empty string and the texts that look like NULL stay apart") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE words (id int PRIMARY KEY, a text, b text, c text)");
    const std::string insert = R"(INSERT INTO words VALUES
        (%1, NULL, '', 'NULL'), (%2, '\N', '\.', E'\\\\N'), (%3, E'\t', E'\n', E'\r\n'), (%4, ' ', '""', '{}'))";
    const auto with_ids = [&](int first) {
        std::string text = insert;
        for (int i = 1; i <= 4; ++i) text.replace(text.find('%'), 2, std::to_string(first + i));
        return text;
    };
    pipeline.on_source(with_ids(0));
    pipeline.start();
    pipeline.settle();
    pipeline.on_source(with_ids(10));
    pipeline.check_equal({"words"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM words WHERE a IS NULL AND b = '' AND c = 'NULL'") == "2");
    pipeline.stop();
}

TEST_CASE("a source that is not UTF8") {
    Pipeline pipeline(shared_servers(), "LATIN1");
    pipeline.on_both("CREATE TABLE words (id int PRIMARY KEY, word text)");
    pipeline.on_source("INSERT INTO words VALUES (1, 'größe'), (2, 'ÿ')");
    pipeline.start();
    pipeline.settle();
    pipeline.on_source("INSERT INTO words VALUES (3, 'été')");
    pipeline.settle();
    CHECK(pipeline.target_rows("words") == std::vector<std::string>{"(1,größe)", "(2,ÿ)", "(3,été)"});
    pipeline.stop();
}

TEST_CASE("a source without an encoding hands its bytes over as they are") {
    Pipeline pipeline(shared_servers(), "SQL_ASCII", "SQL_ASCII");
    pipeline.on_both("CREATE TABLE words (id int PRIMARY KEY, word text)");
    pipeline.on_source("INSERT INTO words VALUES (1, E'gr\\xf6\\xdfe'), (2, 'größe')");
    pipeline.start();
    pipeline.settle();
    pipeline.on_source("INSERT INTO words VALUES (3, E'\\xff'); UPDATE words SET word = E'\\xfe' || word WHERE id = 2");
    pipeline.check_equal({"words"});
    CHECK(pipeline.target_scalar("SELECT encode(word::bytea, 'hex') FROM words WHERE id = 3") == "ff");
    pipeline.stop();
}

TEST_CASE("bytes without an encoding are no text for a UTF8 target, nor for a rule") {
    const TextFile masks("tables: {words: [{type: transform, column: word, parameters: {type: mask}}]}");
    for (const bool masked : {false, true}) {
        Pipeline pipeline(shared_servers(), "SQL_ASCII", masked ? "SQL_ASCII" : "UTF8");
        pipeline.on_both("CREATE TABLE words (id int PRIMARY KEY, word text)");
        pipeline.on_source("INSERT INTO words VALUES (1, 'größe')");
        pipeline.start_replicator();
        pipeline.start_worker(masked ? std::vector<std::string>{"--rules-config", masks.path()}
                                     : std::vector<std::string>{});
        pipeline.settle();
        CHECK(pipeline.target_rows("words") == std::vector<std::string>{masked ? "(1,g***e)" : "(1,größe)"});
        pipeline.on_source("INSERT INTO words VALUES (2, E'\\xff')");
        CHECK(pipeline.worker().wait() == 1);
        CHECK(pipeline.worker().err().find(masked ? "not valid UTF-8" : "invalid byte sequence") != std::string::npos);
        CHECK(pipeline.target_scalar("SELECT count(*) FROM words") == "1");
        pipeline.stop_replicator();
    }
}

TEST_CASE("identifiers that need quotes") {
    Pipeline pipeline;
    pipeline.on_both(R"(
        CREATE TABLE "Order" (id int PRIMARY KEY, "Select" text, "a""b" text, "ü" text, "with space" int, "a.b" int);
        CREATE TABLE "a""b" ("%s" int PRIMARY KEY, "$1" text);
        CREATE TABLE "ü.tab,le" ("\" text PRIMARY KEY, "'" text);
        CREATE TABLE "COPY" (a int);)");
    const auto fill = [&](const std::string& n) {
        pipeline.on_source(R"(INSERT INTO "Order" VALUES ()" + n + R"(, 'x', 'y', 'z', 1, 2);
            INSERT INTO "a""b" VALUES ()" +
                           n + R"(, '$1');
            INSERT INTO "ü.tab,le" VALUES ('\)" +
                           n + R"(', '''');
            INSERT INTO "COPY" VALUES ()" +
                           n + ")");
    };
    fill("1");
    pipeline.start();
    pipeline.settle();
    fill("2");
    pipeline.on_source(R"(UPDATE "Order" SET "a""b" = 'changed', "with space" = 5; UPDATE "ü.tab,le" SET "'" = 'x';
                          UPDATE "a""b" SET "%s" = "%s" + 10; DELETE FROM "Order" WHERE id = 2)");
    pipeline.check_equal({"\"Order\"", "\"a\"\"b\"", "\"ü.tab,le\"", "\"COPY\""});
    pipeline.stop();
}

TEST_CASE("generated, dropped and no columns") {
    Pipeline pipeline;
    pipeline.on_both(R"(
        CREATE TABLE computed (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
        CREATE TABLE thinned (id int PRIMARY KEY, gone text, kept text);
        ALTER TABLE thinned DROP COLUMN gone;
        CREATE TABLE nothing ();
        CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text);)");
    const auto fill = [&](const std::string& n) {
        pipeline.on_source("INSERT INTO computed (id, a) VALUES (" + n + ", 21); INSERT INTO thinned VALUES (" + n +
                           ", 'x'); INSERT INTO nothing DEFAULT VALUES; INSERT INTO always (a) VALUES ('x')");
    };
    fill("1");
    pipeline.start();
    pipeline.settle();
    fill("2");
    pipeline.on_source("UPDATE computed SET a = 5 WHERE id = 1; UPDATE always SET a = 'y' WHERE id = 1");
    pipeline.check_equal({"computed", "thinned", "always"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM nothing") == "2");
    pipeline.stop();
}
