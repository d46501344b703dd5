#include "sinks/lines/json_value.h"
#include "stream/format/json_string.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

Column scalar(Oid type) {
    Column column;
    column.type_oid = column.base_oid = type;
    return column;
}

Column array_of(Oid element) {
    Column column;
    column.type_oid = column.base_oid = 1;
    column.element_oid = element;
    return column;
}

std::string json(const Column& column, std::string_view text) {
    JsonValueWriter writer;
    std::string out = "x";
    writer.append(out, json_type(column), text);
    return out.substr(1);
}

constexpr Oid bool_oid = 16, int8_oid = 20, int2_oid = 21, int4_oid = 23, text_oid = 25, json_oid = 114,
              float4_oid = 700, float8_oid = 701, box_oid = 603, timestamp_type = 1114, numeric_type = 1700,
              uuid_type = 2950, jsonb_type = 3802, bytea_type = 17, enum_oid = 16500;

}  // namespace

TEST_CASE("integers are numbers, all digits kept") {
    CHECK(json(scalar(int2_oid), "-32768") == "-32768");
    CHECK(json(scalar(int4_oid), "0") == "0");
    CHECK(json(scalar(int8_oid), "9223372036854775807") == "9223372036854775807");
}

TEST_CASE("finite floats are numbers with PostgreSQL's digits, the others strings") {
    CHECK(json(scalar(float8_oid), "0.1") == "0.1");
    CHECK(json(scalar(float8_oid), "-0") == "-0");
    CHECK(json(scalar(float8_oid), "1.7976931348623157e+308") == "1.7976931348623157e+308");
    CHECK(json(scalar(float4_oid), "1e-45") == "1e-45");
    CHECK(json(scalar(float4_oid), "NaN") == R"("NaN")");
    CHECK(json(scalar(float8_oid), "Infinity") == R"("Infinity")");
    CHECK(json(scalar(float8_oid), "-Infinity") == R"("-Infinity")");
}

TEST_CASE("booleans") {
    CHECK(json(scalar(bool_oid), "t") == "true");
    CHECK(json(scalar(bool_oid), "f") == "false");
}

TEST_CASE("json and jsonb are nested") {
    CHECK(json(scalar(jsonb_type), R"({"a": [1, 2.50], "b": null})") == R"({"a":[1,2.50],"b":null})");
    CHECK(json(scalar(json_oid), "{\n  \"b\" : 1,\n  \"b\" : 2\n}") == R"({"b":1,"b":2})");
    CHECK(json(scalar(json_oid), "null") == "null");
    CHECK(json(scalar(jsonb_type), R"("text")") == R"("text")");
}

TEST_CASE("all else is PostgreSQL's text") {
    CHECK(json(scalar(text_oid), "") == R"("")");
    CHECK(json(scalar(text_oid), "\\N") == R"("\\N")");
    CHECK(json(scalar(text_oid), "42") == R"("42")");
    CHECK(json(scalar(numeric_type), "12345678901234567890.10") == R"("12345678901234567890.10")");
    CHECK(json(scalar(numeric_type), "NaN") == R"("NaN")");
    CHECK(json(scalar(timestamp_type), "0044-03-15 12:00:00 BC") == R"("0044-03-15 12:00:00 BC")");
    CHECK(json(scalar(uuid_type), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") ==
          R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")");
    CHECK(json(scalar(bytea_type), "\\x00ff") == R"("\\x00ff")");
    CHECK(json(scalar(enum_oid), "happy") == R"("happy")");
    CHECK(json(scalar(3904), "[1,5)") == "\"[1,5)\"");                                   // int4range
    CHECK(json(scalar(4451), "{[1,3),[5,7)}") == "\"{[1,3),[5,7)}\"");                   // int4multirange
    CHECK(json(scalar(16501), R"J((1,"a ""b""",))J") == R"J("(1,\"a \"\"b\"\"\",)")J");  // a composite
}

TEST_CASE("a domain counts as its base type") {
    Column column = scalar(int4_oid);
    column.type_oid = 16600;
    CHECK(json(column, "7") == "7");
}

TEST_CASE("a base type not known falls back to the type itself") {
    Column column;
    column.type_oid = int4_oid;
    CHECK(json(column, "7") == "7");
}

TEST_CASE("arrays") {
    CHECK(json(array_of(int4_oid), "{1,NULL,-3}") == "[1,null,-3]");
    CHECK(json(array_of(int4_oid), "{}") == "[]");
    CHECK(json(array_of(float8_oid), "{1.5,NaN,-Infinity}") == R"([1.5,"NaN","-Infinity"])");
    CHECK(json(array_of(bool_oid), "{t,f,NULL}") == "[true,false,null]");
    CHECK(json(array_of(numeric_type), "{1.10,2}") == R"(["1.10","2"])");
    CHECK(json(array_of(text_oid), R"({a,"b c",NULL,"NULL","","q\"uo\\te","{x,y}","com,ma"})") ==
          R"(["a","b c",null,"NULL","","q\"uo\\te","{x,y}","com,ma"])");
    CHECK(json(array_of(text_oid), "{\"two\nlines\",é}") == "[\"two\\nlines\",\"é\"]");
    CHECK(json(array_of(jsonb_type), R"({"{\"a\": [1, 2]}",NULL,"\"s\"",3})") == R"([{"a":[1,2]},null,"s",3])");
    CHECK(json(array_of(timestamp_type), R"({"2024-01-01 00:00:00",infinity})") ==
          R"(["2024-01-01 00:00:00","infinity"])");
    CHECK(json(array_of(16501), R"J({"(1,\"a b\")"})J") == R"J(["(1,\"a b\")"])J");
}

TEST_CASE("arrays of several dimensions, with other bounds, with box's delimiter") {
    CHECK(json(array_of(int4_oid), "{{1,2},{3,NULL}}") == "[[1,2],[3,null]]");
    CHECK(json(array_of(text_oid), "{{{a},{b}},{{c},{d}}}") == R"([[["a"],["b"]],[["c"],["d"]]])");
    CHECK(json(array_of(int4_oid), "[2:3]={5,6}") == "[5,6]");
    CHECK(json(array_of(int4_oid), "[0:1][-2:-1]={{1,2},{3,4}}") == "[[1,2],[3,4]]");
    CHECK(json(array_of(box_oid), "{(1,1),(0,0);(2,2),(1,1)}") == R"J(["(1,1),(0,0)","(2,2),(1,1)"])J");
}

TEST_CASE("text that is not what the type promises is a string, and the line stays valid") {
    CHECK(json(scalar(int4_oid), "1***5") == R"("1***5")");
    CHECK(json(scalar(int4_oid), "007") == R"("007")");
    CHECK(json(scalar(bool_oid), "***") == R"("***")");
    CHECK(json(scalar(jsonb_type), "{*****}") == R"("{*****}")");
    CHECK(json(scalar(json_oid), "\"caf\xe9\"") == R"("\\x22636166e922")");
    CHECK(json(array_of(text_oid), "{caf\xe9,b}") == R"(["\\x636166e9","b"])");
    for (const std::string_view broken : {"", "{", "{1", "1,2", "{1,}", "{,1}", "{1}}", "{1}x", "[2:3]", "{\"a",
                                          "{1{2}}", "{{1}2}", "1 2 3", "{\"a\\"}) {
        CAPTURE(broken);
        std::string expected;
        append_json_string(expected, broken);
        CHECK(json(array_of(int4_oid), broken) == expected);
    }
}
