#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

// What `parameters` make of one value.
Value transform(const std::string& parameters, const Value& value, ColumnType type = kText) {
    static Arena arena;
    static std::vector<Values> rows;
    const RelationPtr table = relation("t", {column("c", type)});
    const auto plan =
        load("tables: {t: [{type: transform, column: c, parameters: " + parameters + "}]}")->compile(table);
    rows.push_back({value});
    Change change = insert(table, rows.back());
    REQUIRE(plan->apply(change, arena));
    return change.new_row[0].is_text() ? Value(arena.copy(change.new_row[0].text())) : change.new_row[0];
}

std::string regex(const std::string& pattern, const std::string& replace, std::string_view value) {
    return std::string(
        transform("{type: regex, pattern: '" + pattern + "', replace: '" + replace + "'}", Value(value)).text());
}

}  // namespace

TEST_CASE("mask keeps the first and the last character") {
    const struct {
        const char* from;
        const char* to;
    } cases[] = {{"john@example.com", "j**************m"},
                 {"abc", "a*c"},
                 {"ab", "**"},
                 {"a", "*"},
                 {"", ""},
                 {"äöü", "ä*ü"},
                 {"日本", "**"},
                 {"日本語です", "日***す"},
                 {"😀a😀", "😀*😀"}};
    for (const auto& one : cases) CHECK(transform("{type: mask}", text(one.from)) == text(one.to));
    CHECK(transform("{type: mask, mask_char: •}", text("abcd")) == text("a••d"));
    CHECK(transform("{type: mask, mask_char: '#'}", text("abcd"), kVarchar) == text("a##d"));
}

TEST_CASE("the blanks of a char(n) are not characters to keep") {
    CHECK(transform("{type: mask}", text("ab        "), kChar) == text("**"));
    CHECK(transform("{type: mask}", text("abc       "), kChar) == text("a*c"));
}

TEST_CASE("regex replaces all matches") {
    CHECK(regex("[0-9]", "#", "a1b22") == "a#b##");
    CHECK(regex("([a-z]+)@([a-z]+)", "$2 at $1", "me@here you@there") == "here at me there at you");
    CHECK(regex("([a-z]+)@([a-z]+)", "\\2 at ${1}x", "me@here") == "here at mex");
    CHECK(regex("(?P<user>[a-z]+)@", "${user}+", "me@here") == "me+here");
    CHECK(regex("a", "$$\\\\", "a") == "$\\");
    CHECK(regex("a(x)?", "[$1]", "a") == "[]");
    CHECK(regex("x", "y", "abc") == "abc");
    CHECK(regex("^a", "x", "aaa") == "xaa");
    CHECK(regex(".", "x", "äö") == "xx");
}

TEST_CASE("empty matches") {
    CHECK(regex("", "-", "ab") == "-a-b-");
    CHECK(regex("", "-", "ä") == "-ä-");
    CHECK(regex("a*", "x", "baac") == "xbxcx");
    CHECK(regex("b*", "x", "") == "x");
}

TEST_CASE("a regex that would backtrack for ever stays linear") {
    std::string value(1 << 20, 'a');
    value += 'b';
    CHECK(regex("(a+)+$", "x", value) == value);
}

TEST_CASE("invalid UTF-8 passes where no rule reads it, and is an error where one does") {
    const RelationPtr table = relation("t", {column("a", kText), column("b", kText)});
    const auto plan = load("tables: {t: [{type: transform, column: b, parameters: {type: mask}}]}")->compile(table);
    Arena arena;
    const Values unread{text("canary\xff"), text("abc")};
    Change passes = insert(table, unread);
    REQUIRE(plan->apply(passes, arena));
    CHECK(passes.new_row[0] == unread[0]);
    for (const char* bad : {"canary\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ab\xc3", "\x80"}) {
        const Values row{text("x"), text(bad)};
        Change change = insert(table, row);
        const std::string error = error_of([&] { plan->apply(change, arena); });
        CHECK(error.find("not valid UTF-8") != std::string::npos);
        CHECK(error.find("canary") == std::string::npos);
    }
}
