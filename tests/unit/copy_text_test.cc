#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/format/copy_text.h"

using namespace pgsluice;

TEST_CASE("lines are cut at newlines") {
    std::string_view text = "a\n\nb";
    CHECK(take_copy_line(text) == "a");
    CHECK(take_copy_line(text) == "");
    CHECK(take_copy_line(text) == "b");
    CHECK(text.empty());
}

TEST_CASE("NULL, the empty string and backslash-N as text are three things") {
    Arena arena;
    const auto values = parse_copy_line("\\N\t\t\\\\N\t\\N x", 4, arena);
    CHECK(values[0].is_null());
    CHECK(values[1] == Value(""));
    CHECK(values[2] == Value("\\N"));
    CHECK(values[3] == Value("N x"));
}

TEST_CASE("the manual's escapes") {
    Arena arena;
    const auto values = parse_copy_line("\\b\\f\\n\\r\\t\\v\\\\\t\\101\\x41\\x4\\7\\.\tplain", 3, arena);
    CHECK(values[0] == Value("\b\f\n\r\t\v\\"));
    CHECK(values[1] == Value("AA\x04\x07."));
    CHECK(values[2] == Value("plain"));
}

TEST_CASE("a row comes back as it was written") {
    Arena arena;
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    const std::vector<Value> row{Value(all), Value(), Value(""), Value("\\N"), Value("\\"), Value("x\ty\nz")};
    std::string text;
    append_copy_line(text, row);
    std::string_view rest = text;
    const auto line = take_copy_line(rest);
    CHECK(rest.empty());
    const auto values = parse_copy_line(line, row.size(), arena);
    CHECK(std::equal(values.begin(), values.end(), row.begin(), row.end()));
}

TEST_CASE("a table without columns has empty lines") {
    Arena arena;
    CHECK(parse_copy_line("", 0, arena).empty());
    CHECK_THROWS_AS(parse_copy_line("a", 0, arena), Error);
    CHECK(parse_copy_line("", 1, arena)[0] == Value(""));
}

TEST_CASE("a row of another width, or one that is cut, is refused") {
    Arena arena;
    CHECK_THROWS_AS(parse_copy_line("a\tb", 1, arena), Error);
    CHECK_THROWS_AS(parse_copy_line("a\tb", 3, arena), Error);
    CHECK_THROWS_AS(parse_copy_line("a\\", 1, arena), Error);
}

TEST_CASE("an unchanged value cannot be copied") {
    std::string text;
    const std::vector<Value> row{Value::unchanged()};
    CHECK_THROWS_AS(append_copy_line(text, row), std::logic_error);
}
