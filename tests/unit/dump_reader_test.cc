// A dump's text becomes rows of COPY text, or is refused with its file and line.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "worker/dump/reader.h"

using namespace pgsluice;

namespace {

// "public.users(id,name)", then its rows.
struct Seen : dump::Rows {
    std::vector<std::string> lines;
    void table(const QualifiedName& name, const std::vector<std::string>& columns,
               const dump::Place& /*place*/) override {
        std::string text = name.schema + "." + name.table + "(";
        for (std::size_t i = 0; i < columns.size(); ++i) text += (i == 0 ? "" : ",") + columns[i];
        lines.push_back(text + ")");
    }
    void row(std::string_view line, const dump::Place& /*place*/) override { lines.emplace_back(line); }
};

// A few bytes at a time, so that lines come in pieces.
dump::ReadBytes in_pieces(const std::string& text, std::size_t piece) {
    return [text, piece, at = std::size_t{0}](char* into, std::size_t size) mutable {
        const std::size_t count = std::min({piece, size, text.size() - at});
        text.copy(into, count, at);
        at += count;
        return count;
    };
}

const std::string utf8 = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n";
const std::string users = "CREATE TABLE public.users (\n    id integer NOT NULL,\n    name text\n);\n";

std::vector<std::string> rows_of(const std::string& text, std::size_t piece = 7) {
    Seen seen;
    dump::Reader reader(seen);
    reader.read("d.sql", in_pieces(utf8 + text, piece));
    return seen.lines;
}

std::string refusal(const std::string& text, const std::string& before = utf8) {
    Seen seen;
    dump::Reader reader(seen);
    try {
        reader.read("d.sql", in_pieces(before + text, 1000));
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        return error.what();
    }
    return "";
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("rows of COPY are handed on as they are") {
    CHECK(rows_of("COPY public.users (id, name) FROM stdin;\n1\tada\n\\N\t\n3\ta\\tb\\\\.\n\\.\n\n\n") ==
          Lines{"public.users(id,name)", "1\tada", "\\N\t", "3\ta\\tb\\\\."});
    CHECK(rows_of("COPY public.one (name) FROM stdin;\n\\N\n\n\\\\.\n\\.\n") ==
          Lines{"public.one(name)", "\\N", "", "\\\\."});
}

TEST_CASE("a table without columns has empty rows") {
    CHECK(rows_of("CREATE TABLE public.none (\n);\nCOPY public.none  FROM stdin;\n\n\n\\.\n") ==
          Lines{"public.none()", "", ""});
    CHECK(rows_of("CREATE TABLE public.none (\n);\nINSERT INTO public.none DEFAULT VALUES;\n") ==
          Lines{"public.none()", ""});
}

TEST_CASE("identifiers have every character") {
    CHECK(rows_of("COPY \"My \"\"S\"\".x\".\"a;b'c\\\" (\"x,y\", \"(\", \xC3\xA4) FROM stdin;\n1\t2\t3\n\\.\n") ==
          Lines{"My \"S\".x.a;b'c\\(x,y,(,\xC3\xA4)", "1\t2\t3"});
}

TEST_CASE("the values of INSERT become COPY text") {
    CHECK(rows_of(users + "INSERT INTO public.users VALUES (1, 'it''s; a \\n');\n") ==
          Lines{"public.users(id,name)", "1\tit's; a \\\\n"});
    CHECK(rows_of("INSERT INTO public.users (id, name) VALUES (-1.5e+10, NULL);\n") ==
          Lines{"public.users(id,name)", "-1.5e+10\t\\N"});
    CHECK(rows_of("INSERT INTO public.users (id, name) VALUES (1, E'a\\nb\\\\c\\'d''e\\x41\\101');\n") ==
          Lines{"public.users(id,name)", "1\ta\\nb\\\\c'd'eAA"});
    CHECK(rows_of("INSERT INTO public.users (id, name) OVERRIDING SYSTEM VALUE VALUES\n\t(true, B'0101'),\n\t(false, "
                  "'two\nlines\t--no comment /* nor this');\n") ==
          Lines{"public.users(id,name)", "t\t0101", "f\ttwo\\nlines\\t--no comment /* nor this"});
    CHECK(rows_of("INSERT INTO public.users (id) VALUES (1) ON CONFLICT DO NOTHING;\n") ==
          Lines{"public.users(id)", "1"});
}

TEST_CASE("without standard_conforming_strings a backslash escapes") {
    CHECK(rows_of("SET standard_conforming_strings = off;\nINSERT INTO public.t (a) VALUES ('a\\\\b\\'c');\n"
                  "SET standard_conforming_strings = on;\nINSERT INTO public.t (a) VALUES ('a\\');\n") ==
          Lines{"public.t(a)", "a\\\\b'c", "public.t(a)", "a\\\\"});
}

TEST_CASE("columns that are generated have no values") {
    const std::string table =
        "CREATE TABLE public.g (\n    a integer,\n    b integer GENERATED ALWAYS AS ((a * 2)) STORED,\n    c integer "
        "NOT "
        "NULL\n);\n";
    CHECK(rows_of(table + "INSERT INTO public.g VALUES (1, DEFAULT, 3);\n") == Lines{"public.g(a,c)", "1\t3"});
    CHECK(rows_of(table + "INSERT INTO public.g (a, b, c) VALUES (1, DEFAULT, 3);\n") ==
          Lines{"public.g(a,c)", "1\t3"});
    CHECK(refusal(table + "INSERT INTO public.g VALUES (DEFAULT, DEFAULT, 3);\n") ==
          "unable to read dump 'd.sql:8': a value of an INSERT is not understood");
}

TEST_CASE("a heading tells of a table without rows") {
    CHECK(rows_of(users + "--\n-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n\n\n") ==
          Lines{"public.users(id,name)"});
    CHECK(rows_of(users + "-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -\nCOPY public.users "
                          "(name, id) FROM stdin;\n\\.\n") == Lines{"public.users(name,id)"});
}

TEST_CASE("rows that come under the name of the table above are the partition's, by their heading") {
    const std::string heading = "-- Data for Name: e1; Type: TABLE DATA; Schema: public; Owner: -\n";
    const std::string copy = "COPY public.e (a) FROM stdin;\n1\n\\.\n";
    CHECK(rows_of("CREATE TABLE public.e (\n    a integer\n)\nPARTITION BY RANGE (a);\nCREATE TABLE public.e1 (\n    a "
                  "integer\n);\nALTER TABLE ONLY public.e ATTACH PARTITION public.e1 DEFAULT;\n" +
                  heading + copy) == Lines{"public.e1(a)", "1"});
    CHECK(refusal(heading + copy) ==
          "unable to read dump 'd.sql:4': rows of 'public.e1' come under the name of 'public.e'");
}

TEST_CASE("names without a schema are of the search_path, as in dumps of old versions") {
    CHECK(rows_of("SET search_path = shop, pg_catalog;\nCOPY users (id) FROM stdin;\n1\n\\.\n") ==
          Lines{"shop.users(id)", "1"});
    CHECK(refusal("COPY users (id) FROM stdin;\n\\.\n") ==
          "unable to read dump 'd.sql:3': it does not say which schema table 'users' is in");
}

TEST_CASE("what else pg_dump writes holds no rows") {
    CHECK(
        rows_of(
            "\\restrict x\nSELECT pg_catalog.set_config('search_path', '', false);\n"
            "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE plpgsql\n    AS $_$\nBEGIN\n  INSERT INTO t VALUES "
            "(1);\nEND;\n$_$;\n"
            "CREATE FUNCTION public.g() RETURNS integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE WHEN true "
            "THEN 1 END;\n INSERT INTO t VALUES (1);\nEND;\n"
            "CREATE RULE r AS\n    ON INSERT TO public.v DO INSTEAD ( INSERT INTO public.t VALUES (1);\n INSERT "
            "INTO public.t VALUES (2);\n);\n"
            "/* a comment /* within */ ; */ COMMENT ON TABLE public.t IS 'x; y';\n"
            "SELECT pg_catalog.setval('public.users_id_seq', 7, true);\n"
            "SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer);\n"
            "ALTER TABLE public.t OWNER TO x;\nGRANT SELECT ON TABLE public.t TO y;\n\\unrestrict x\n") == Lines{});
}

TEST_CASE("what is not understood is refused") {
    for (const std::string statement : {"UPDATE public.t SET a = 1",
                                        "DELETE FROM public.t",
                                        "TRUNCATE public.t",
                                        "DO $$BEGIN END$$",
                                        "WITH x AS (SELECT 1) INSERT INTO public.t SELECT * FROM x",
                                        "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
                                        "SELECT public.f()",
                                        "SELECT 1",
                                        "CREATE TABLE public.t AS SELECT 1",
                                        "CREATE TABLE public.t (a) AS SELECT 1",
                                        "INSERT INTO public.t (a) SELECT 1",
                                        "INSERT INTO public.t (a) VALUES (now())",
                                        "INSERT INTO public.t (a) VALUES (1) RETURNING a",
                                        "INSERT INTO public.t (a) VALUES ('a' || 'b')",
                                        "INSERT INTO public.t (a) VALUES (U&'x')",
                                        "INSERT INTO public.t (a, b) VALUES (1)",
                                        "INSERT INTO public.t VALUES (1)",
                                        "COPY public.t (a) FROM '/etc/passwd'",
                                        "COPY public.t (a) FROM stdin WITH (FORMAT csv)",
                                        "CREATE SCHEMA s CREATE TABLE t (a int)",
                                        "ROLLBACK",
                                        "SET DateStyle = 'German'",
                                        "EXECUTE p",
                                        "SET client_encoding = 'LATIN1'"}) {
        CAPTURE(statement);
        CHECK(refusal("\n" + statement + ";\n").starts_with("unable to read dump 'd.sql:4': "));
    }
    CHECK(refusal("\\i other.sql\n") == "unable to read dump 'd.sql:3': a command of psql's is not read");
    CHECK(refusal("\\! rm x\n") != "");
}

TEST_CASE("a dump that does not say that it is UTF-8, or is not, is refused") {
    CHECK(refusal("COPY public.t (a) FROM stdin;\n\\.\n", "") ==
          "unable to read dump 'd.sql:1': it does not say that it is UTF-8 (SET client_encoding = 'UTF8')");
    CHECK(refusal("INSERT INTO public.t (a) VALUES (1);\n", "") != "");
    CHECK(refusal("COPY public.t (a) FROM stdin;\n\xE9\n\\.\n") ==
          "unable to read dump 'd.sql:4': a row is not valid UTF-8");
    CHECK(refusal("INSERT INTO public.t (a) VALUES ('\xE9');\n") ==
          "unable to read dump 'd.sql:3': a row is not valid UTF-8");
}

TEST_CASE("a dump that was cut off or changed is refused") {
    const std::string head = "--\n-- PostgreSQL database dump\n--\n";
    const std::string copy = "COPY public.t (a) FROM stdin;\n1\n";
    CHECK(refusal(head + copy + "\\.\n") ==
          "unable to read dump 'd.sql:8': the end that pg_dump writes is missing, so the dump is not complete");
    CHECK(refusal(head + copy + "\\.\n--\n-- PostgreSQL database dump complete\n--\n") == "");
    CHECK(refusal(copy) == "unable to read dump 'd.sql:4': it ends within the rows of a COPY, so it is not complete");
    CHECK(refusal(copy + "2") == "unable to read dump 'd.sql:5': it ends within a row, so it is not complete");
    CHECK(refusal("INSERT INTO public.t (a) VALUES ('x") ==
          "unable to read dump 'd.sql:3': it ends within a statement, so it is not complete");
    CHECK(refusal("COPY public.t (a, b) FROM stdin;\n1\n\\.\n") ==
          "unable to read dump 'd.sql:4': a row does not have 2 columns");
    CHECK(refusal("COPY public.t (a) FROM stdin;\n1\r\n\\.\r\n") != "");
    CHECK(refusal("COMMENT ON TABLE t IS 'x';\r\n") != "");
    CHECK(refusal(std::string("COPY public.t (a) FROM stdin;\n1\0\n\\.\n", 34)) ==
          "unable to read dump 'd.sql:4': a row holds a byte 0, so this is no text");
}

TEST_CASE("rows of one database only") {
    CHECK(rows_of("\\connect shop\n" + utf8 + "COPY public.t (a) FROM stdin;\n1\n\\.\n") == Lines{"public.t(a)", "1"});
    CHECK(refusal("COPY public.t (a) FROM stdin;\n1\n\\.\n\\connect other\n") ==
          "unable to read dump 'd.sql:6': it holds rows of more than one database");
}

TEST_CASE("a line may be long") {
    const std::string value(5'000'000, 'x');
    CHECK(rows_of("COPY public.t (a) FROM stdin;\n" + value + "\n2\n\\.\n", 100'000) ==
          Lines{"public.t(a)", value, "2"});
    CHECK(rows_of("INSERT INTO public.t (a) VALUES ('" + value + "');\n", 100'000) == Lines{"public.t(a)", value});
}
