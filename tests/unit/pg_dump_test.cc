#include "sinks/postgres/schema/pg_dump.h"

#include <doctest/doctest.h>

using namespace pgsluice;

TEST_CASE("a dump is taken apart at its comments") {
    const auto entries = parse_dump(
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n\n"
        "--\n-- Name: shop; Type: SCHEMA; Schema: -; Owner: -\n--\n\nCREATE SCHEMA shop;\n\n\n"
        "--\n-- Name: a b; Type: TABLE; Schema: shop; Owner: -\n--\n\nCREATE TABLE shop.\"a b\" (\n    id integer -- "
        "Name: x\n);\n\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].name == "shop");
    CHECK(entries[0].type == "SCHEMA");
    CHECK(entries[0].schema == "-");
    CHECK(entries[0].text == "\nCREATE SCHEMA shop;\n\n");
    CHECK(entries[1].name == "a b");
    CHECK(entries[1].type == "TABLE");
    CHECK(entries[1].schema == "shop");
    CHECK(entries[1].text.find("\"a b\" (\n    id integer -- Name: x\n);") != std::string::npos);
    CHECK(entries[1].text.find("unrestrict") == std::string::npos);
}

TEST_CASE("comments within an object and names with semicolons are taken for what they are") {
    const auto entries = parse_dump(
        "\n--\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: -\n--\n\nCREATE FUNCTION public.f() AS $$\n--\n-- "
        "Name: f, says its author\n--\nSELECT 1 $$;\n\n\n"
        "--\n-- Name: a; Type: b; Type: TABLE; Schema: s; Owner: -\n--\n\nCREATE TABLE s.\"a; Type: b\" ();\n");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].type == "FUNCTION");
    CHECK(entries[0].text.find("says its author\n--\nSELECT 1 $$;") != std::string::npos);
    CHECK(entries[1].name == "a; Type: b");
    CHECK(entries[1].type == "TABLE");
}

TEST_CASE("a dump without objects, or cut short, gives what it has") {
    CHECK(parse_dump("").empty());
    CHECK(
        parse_dump("--\n-- PostgreSQL database dump\n--\n\n\n--\n-- PostgreSQL database dump complete\n--\n").empty());
    const auto cut = parse_dump("x\n--\n-- Name: t; Type: TABLE; Schema: s; Owner: -");
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].text.empty());
}
