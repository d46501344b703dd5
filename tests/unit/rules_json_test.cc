#include <doctest/doctest.h>

#include <random>

#include "rules/values/json_scanner.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

std::string json(const std::string& path, const std::string& inner, const std::string& value,
                 ColumnType type = plain_json_type) {
    const RelationPtr table = relation("t", {column("c", type)});
    const auto compiled = load("tables: {t: [{type: transform, column: c, parameters: {type: json, " + path +
                               ", transform: {" + inner + "}}}]}")
                              ->compile(table);
    Arena arena;
    const Values row{text(value)};
    Change change = insert(table, row);
    const bool passes = compiled->apply(change, arena);
    REQUIRE(passes);
    return std::string(change.new_row[0].text());
}

std::string mask(const std::string& path, const std::string& value) {
    return json("path: \"" + path + "\"", "type: mask", value);
}

}  // namespace

TEST_CASE("json transforms what lies at a path and leaves every other byte") {
    CHECK(mask("$.address.street",
               R"({ "id" : 1.50,  "address": {"street" : "Elm Street", "no":7}, "x":"\u0061\/" } )") ==
          R"({ "id" : 1.50,  "address": {"street" : "E********t", "no":7}, "x":"\u0061\/" } )");
    CHECK(mask("$.a", R"({"b": {"a": "abc"}})") == R"({"b": {"a": "abc"}})");
    CHECK(mask("$.a", R"({"a": "abc", "a": "def"})") == R"({"a": "a*c", "a": "d*f"})");
    CHECK(mask("$.a", R"([1, "abc"])") == R"([1, "abc"])");
    CHECK(mask("$", R"("abc")") == R"("a*c")");
    CHECK(json("path: $.a", "type: mask", R"({"a": "abc"})", jsonb_type) == R"({"a": "a*c"})");
}

TEST_CASE("paths") {
    CHECK(mask("$.items[1].name", R"({"items": [{"name": "abc"}, {"name": "abc"}]})") ==
          R"({"items": [{"name": "abc"}, {"name": "a*c"}]})");
    CHECK(mask("$.items[*].name", R"({"items": [{"name": "abc"}, {"nam": "abc"}, {"name": "abc"}]})") ==
          R"({"items": [{"name": "a*c"}, {"nam": "abc"}, {"name": "a*c"}]})");
    CHECK(mask("$.a[*].s", R"({"a": {"b": {"s": "abc"}, "s": "abc"}})") == R"({"a": {"b": {"s": "abc"}, "s": "a*c"}})");
    CHECK(mask("$.*", R"({"a": "abc", "b": ["abc"]})") == R"({"a": "a*c", "b": ["a*c"]})");
    CHECK(mask("$['a.b']", R"({"a.b": "abc", "a": {"b": "abc"}})") == R"({"a.b": "a*c", "a": {"b": "abc"}})");
    CHECK(mask("$..ssn", R"({"ssn": "abc", "x": [{"y": {"ssn": "abc"}}]})") ==
          R"({"ssn": "a*c", "x": [{"y": {"ssn": "a*c"}}]})");
    CHECK(mask("$..a.b", R"({"a": {"a": {"b": "abc"}, "b": "abc"}, "b": "abc"})") ==
          R"({"a": {"a": {"b": "a*c"}, "b": "a*c"}, "b": "abc"})");
    CHECK(json("paths: [$.a, $.b]", "type: mask", R"({"a": "abc", "b": "abc", "c": "abc"})") ==
          R"({"a": "a*c", "b": "a*c", "c": "abc"})");
}

TEST_CASE("arrays are unwrapped and single values wrapped, as in PostgreSQL's lax mode") {
    CHECK(mask("$.items.card", R"({"items": [{"card": "abc"}, {"x": "abc"}, {"card": "abc"}]})") ==
          R"({"items": [{"card": "a*c"}, {"x": "abc"}, {"card": "a*c"}]})");
    CHECK(mask("$.items.card", R"({"items": [[{"card": "abc"}]]})") == R"({"items": [[{"card": "abc"}]]})");
    CHECK(mask("$.a.b", R"([{"a": [{"b": "abc"}]}])") == R"([{"a": [{"b": "a*c"}]}])");
    CHECK(mask("$.items[*].card", R"({"items": {"card": "abc"}})") == R"({"items": {"card": "a*c"}})");
    CHECK(mask("$.items[0].card", R"({"items": {"card": "abc"}})") == R"({"items": {"card": "a*c"}})");
    CHECK(mask("$.items[1].card", R"({"items": {"card": "abc"}})") == R"({"items": {"card": "abc"}})");
    CHECK(mask("$.a[*]", R"({"a": "abc"})") == R"({"a": "a*c"})");
}

TEST_CASE("a path that would match nothing is refused") {
    for (const char* path : {"$.'ssn'", "$.ssn ", "$.items ?(@.card)", "$.first-name", "$. ssn", "$.a..", "$.", "$..",
                             "$.a*", "$.size()"}) {
        CAPTURE(path);
        CHECK(error_of([&] { mask(path, "{}"); }).find("is not a path") != std::string::npos);
    }
    CHECK(mask("$.größe_1$", R"({"größe_1$": "abc"})") == R"({"größe_1$": "a*c"})");
    CHECK(mask("$.\\\"first-name\\\"", R"({"first-name": "abc"})") == R"({"first-name": "a*c"})");
}

TEST_CASE("a key in escapes is the same key") {
    CHECK(mask("$.street", R"({"str\u0065et": "abc"})") == R"({"str\u0065et": "a*c"})");
}

TEST_CASE("values that are not strings") {
    CHECK(mask("$.a", R"({"a": 12345})") == R"({"a": "1***5"})");
    CHECK(mask("$.a", R"({"a": true})") == R"({"a": "t**e"})");
    CHECK(mask("$.a", R"({"a": null})") == R"({"a": null})");
    CHECK(mask("$.a", R"({"a": {"k": "abc", "l": [1234, {"m": "xyz"}], "n": {}}, "z": "abc"})") ==
          R"({"a": {"k": "a*c", "l": ["1**4", {"m": "x*z"}], "n": {}}, "z": "abc"})");
    CHECK(json("path: $.a", "type: redact", R"({"a": {"k": "abc"}, "b": 1})") == R"({"a": "********", "b": 1})");
    CHECK(json("path: $.a", "type: 'null'", R"({"a": [1, 2], "b": 1})") == R"({"a": null, "b": 1})");
    CHECK(json("path: $.a", "type: constant, value: x", R"({"a": null})") == R"({"a": "x"})");
    CHECK(json("path: $.a", "type: regex, pattern: '^1$', replace: '2'", R"({"a": [1, 11, "\u0031", "\u0041"]})") ==
          R"({"a": ["2", 11, "2", "\u0041"]})");
}

TEST_CASE("strings are decoded before and encoded after") {
    CHECK(mask("$.a", R"({"a": "\"äöü\\"})") == R"({"a": "\"***\\"})");
    CHECK(mask("$.a", R"({"a": "\ud83d\ude00a\n"})") == "{\"a\": \"\xf0\x9f\x98\x80*\\u000a\"}");
    CHECK(mask("$.a", R"({"a": "x\ud800x"})") == R"({"a": "x*x"})");
}

TEST_CASE("what is not JSON stops, unseen") {
    for (const char* bad : {"", "{\"a\": \"canary", "{\"a\" \"canary\"}", "{\"a\": canary}", "{\"a\": \"canary\"} x",
                            "{\"a\": \"\\ucanary\"}", "{\"b\": [\"canary\"", "{\"a\": \"canary\\"}) {
        CAPTURE(bad);
        const std::string error = error_of([&] { mask("$.a", bad); });
        CHECK(error.find("it is not JSON") != std::string::npos);
        CHECK(error.find("canary") == std::string::npos);
    }
    const std::string deep = std::string(5000, '[') + std::string(5000, ']');
    CHECK(mask("$.a", deep) == deep);
    CHECK(error_of([&] { mask("$..a", deep); }).find("nested too deeply") != std::string::npos);
    CHECK(mask("$", deep) == deep);
}

TEST_CASE("is_json") {
    for (const char* good : {"1", "-0.5e+10", "\"\"", "[]", "{}", " [1, {\"a\": null}, true] ", "\"\\u00e4\""})
        CHECK(rules::is_json(good));
    for (const char* bad :
         {"", "01", "1.", ".5", "+1", "[1,]", "{a: 1}", "{\"a\"}", "nul", "\"\\x\"", "\"\n\"", "1 2", "[", "]"})
        CHECK_FALSE(rules::is_json(bad));
}

namespace {

// `parameters` instead of a transform: "delete: true".
std::string edited(const std::string& path, const std::string& parameters, const std::string& value) {
    const RelationPtr table = relation("t", {column("c", jsonb_type)});
    const auto ruleset = load("tables: {t: [{type: transform, column: c, parameters: {type: json, path: \"" + path +
                              "\", " + parameters + "}}]}");
    const Values row{text(value)};
    Change change = insert(table, row);
    Arena arena;
    const bool passes = ruleset->compile(table)->apply(change, arena);
    REQUIRE(passes);
    return std::string(change.new_row[0].text());
}

// A value, and the same without members called s, as PostgreSQL prints both.
struct Twins {
    std::string whole;
    std::string without;
};

Twins random_json(std::mt19937& engine, int depth) {
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(engine() % bound); };
    const unsigned kind = depth == 0 ? 0 : below(3);
    if (kind == 0) {
        const std::string leaf = std::vector<std::string>{"7", "\"a, b\"", "null", "true", "\"s\""}[below(5)];
        return {leaf, leaf};
    }
    Twins made;
    for (unsigned i = below(5); i > 0; --i) {
        const Twins inner = random_json(engine, depth - 1);
        const std::string name = kind == 1 ? std::vector<std::string>{"s", "s", "a", "b"}[below(4)] : "";
        const std::string before = name.empty() ? "" : "\"" + name + "\": ";
        made.whole += (made.whole.empty() ? "" : ", ") + before + inner.whole;
        if (name != "s") made.without += (made.without.empty() ? "" : ", ") + before + inner.without;
    }
    const auto closed = [&](const std::string& text) { return kind == 1 ? "{" + text + "}" : "[" + text + "]"; };
    return {closed(made.whole), closed(made.without)};
}

}  // namespace

TEST_CASE("what lies at a path is deleted with its name and one comma") {
    const std::string remove = "delete: true";
    CHECK(edited("$.a", remove, R"({"a": 1})") == "{}");
    CHECK(edited("$.a", remove, R"({"a": {"b": [1]}, "c": 2, "d": 3})") == R"({"c": 2, "d": 3})");
    CHECK(edited("$.c", remove, R"({"a": 1, "c": 2, "d": 3})") == R"({"a": 1, "d": 3})");
    CHECK(edited("$.d", remove, R"({"a": 1, "c": 2, "d": null})") == R"({"a": 1, "c": 2})");
    CHECK(edited("$.a", remove, R"([{"a": 1}, {"b": 2, "a": 1}])") == R"([{}, {"b": 2}])");
    CHECK(edited("$.l[1]", remove, R"({"l": [1, 2, 3]})") == R"({"l": [1, 3]})");
    CHECK(edited("$.l[*]", remove, R"({"l": [1, 2, 3]})") == R"({"l": []})");
    CHECK(edited("$.l[0]", remove, R"({"k": 1, "l": 2})") == R"({"k": 1})");
    CHECK(edited("$[0]", remove, R"("secret")") == "null");
    CHECK(edited("$.x", remove, R"({"a": 1})") == R"({"a": 1})");
}

TEST_CASE("what is deleted at any depth is nowhere, and all else is as it was") {
    std::mt19937 engine(11);
    for (int i = 0; i < 3000; ++i) {
        const Twins twins = random_json(engine, 4);
        CHECK(edited("$..s", "delete: true", twins.whole) == twins.without);
    }
}

TEST_CASE("a part is set to JSON where it is, and not made") {
    CHECK(edited("$.a", "set: 7", R"({"a": {"b": 1}, "c": "x"})") == R"({"a": 7, "c": "x"})");
    CHECK(edited("$.a", "set: '{\"x\": [1]}'", R"({"a": null})") == R"({"a": {"x": [1]}})");
    CHECK(edited("$.a", "set: '\"t\"'", R"({"b": 1})") == R"({"b": 1})");
    CHECK(edited("$..a", "set: true", R"([{"a": 1}, {"a": [2]}])") == R"([{"a": true}, {"a": true}])");
}
