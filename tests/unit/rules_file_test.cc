// What the files must not say, and how that is reported.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const RelationPtr users_table =
    relation("users", {column("id", integer_type, true), column("email", text_type), column("age", integer_type)});

std::string rules_error(const std::string& rules) {
    return error_of([&] { (void)load(rules)->compile(users_table); });
}
std::string rule_error(const std::string& rule) { return rules_error("tables:\n  users:\n    - " + rule + "\n"); }
std::string routing_error(const std::string& routing) {
    return error_of([&] { (void)load("", routing)->compile(users_table); });
}

struct Case {
    const char* text;
    const char* expected;
};

}  // namespace

TEST_CASE("an error names file, line, table, rule and column") {
    const std::string error = rules_error(R"(tables:
  users:
    - {type: exclude_column, column: age}
    - type: transform
      column: email
      parameters:
        type: msk
)");
    CHECK(error.find("unable to use rule 2 of table 'users', column 'email' (") == 0);
    CHECK(error.find("rules.yaml:6): unknown transform 'msk'") != std::string::npos);
    CHECK(error.find("HINT: Known transforms: mask, regex") != std::string::npos);
}

TEST_CASE("rules that are refused") {
    const Case cases[] = {
        {"{type: mask, column: email}", "unknown rule type 'mask'"},
        {"{type: keep}", "'column' is missing"},
        {"{type: keep, column: email, colum: x}", "unknown key 'colum'"},
        {"{type: keep, column: nosuch}", "the table public.users has no column 'nosuch'"},
        {"{type: exclude_column, column: nosuch}", "has no column 'nosuch'"},
        {"{type: exclude_column, column: id}", "part of the key"},
        {"{type: exclude_column, column: age, operations: [DELETE]}", "must cover INSERT and UPDATE"},
        {"{type: keep, column: email, operations: []}", "at least one operation"},
        {"{type: keep, column: email, operations: [MERGE]}", "unknown operation 'MERGE'"},
        {"{type: keep, column: email, operations: [TRUNCATE]}", "unknown operation 'TRUNCATE'"},
        {"{type: transform, column: email}", "'parameters' is missing"},
        {"{type: transform, column: email, parameters: {mask_char: x}}", "'type' is missing"},
        {"{type: transform, column: email, parameters: {type: mask, mask_char: xx}}", "must be one character"},
        {"{type: transform, column: email, parameters: {type: mask, char: x}}", "unknown key 'char'"},
        {"{type: transform, column: age, parameters: {type: mask}}", "it takes text, but the column is integer"},
        {"{type: transform, column: email, parameters: {type: regex, pattern: '(', replace: x}}",
         "bad pattern: missing )"},
        {"{type: transform, column: email, parameters: {type: regex, pattern: a}}", "'replace' is missing"},
        {"{type: transform, column: email, parameters: {type: regex, pattern: a, replace: $1}}", "names group '1'"},
        {"{type: filter, column: age, parameters: {operator: like, value: x}}", "unknown operator 'like'"},
        {"{type: filter, column: age, parameters: {operator: eq}}", "'value' is missing"},
        {"{type: filter, column: age, parameters: {operator: eq, value: null}}",
         "a comparison with NULL is never true"},
        {"{type: filter, column: age, parameters: {operator: eq, value: [1]}}", "must be a single value"},
        {"{type: filter, column: age, parameters: {operator: in, value: 1}}", "takes a list"},
        {"{type: filter, column: age, parameters: {operator: is_null, value: 1}}", "takes no value"},
        {"{type: filter, column: age, parameters: {operator: gte, value: old}}", "it is not a number"},
        {"{type: filter, column: age, parameters: {operator: contains, value: 1}}", "'contains' searches text"},
        {"{type: filter, column: email, parameters: {operator: regex, value: '['}}", "bad pattern"},
        {"{type: filter, column: age, parameters: {operator: eq, value: 1}, allow_empty_deletes: maybe}",
         "must be true or false"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.text);
        const std::string error = rule_error(one.text);
        CAPTURE(error);
        CHECK(error.find(one.expected) != std::string::npos);
        CHECK(error.find("rules.yaml:3)") != std::string::npos);
    }
}

TEST_CASE("an alias may stand for what is complete") {
    const auto ruleset = load(R"(
tables:
  users: &personal
    - {type: transform, column: email, parameters: {type: mask}}
  people: *personal
)");
    CHECK(ruleset->compile(users_table)->describe().size() == 1);
    CHECK(ruleset->compile(relation("people", users_table->columns))->describe().size() == 1);
}

TEST_CASE("rules files that are refused") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i <= 9; ++i) {
        bomb += fmt::format("a{}: &a{} [", i, i);
        for (int j = 0; j < 10; ++j) bomb += fmt::format("*a{},", i - 1);
        bomb += "]\n";
    }
    const Case cases[] = {
        {"# nothing\n", "must be a map"},
        {"tables:\n", "'tables' must name tables"},
        {"tables: {users: {}}\n", "'rules' is missing"},
        {"tables: {users: 3}\n", "takes a list of rules"},
        {"tables: {users: []}\ntable: {}\n", "unknown key 'table'"},
        {"tables: {users: [], users: []}\n", "the key 'users' appears twice"},
        {"tables:\n  users:\n    - type: keep\n      column: id\n      type: keep\n",
         "rules.yaml:5': the key 'type' appears twice"},
        {"tables:\n  users: []\n  orders: []\n  users: []\n", "rules.yaml:4': the key 'users' appears twice"},
        {"tables:\n  users: &u\n    - {type: keep, column: id}\n    - *u\n", "rules.yaml:2': an alias refers to"},
        {"tables: {users: [&r {type: keep, column: id, parameters: *r}]}\n", "rules.yaml:1': an alias refers to"},
        {"tables: &t {users: *t}\n", "an alias refers to"},
        {"tables: {users: &u [*u, *u]}\n", "an alias refers to"},
        {"tables: {users: [*u]}\n", "rules.yaml:1': not YAML: the referenced anchor is not defined"},
        {"tables:\n  users: &u []\n  orders:\n    <<: *u\n", "rules.yaml:4': merge keys ('<<') are not supported"},
        {bomb.c_str(), "more than a million entries"},
        {"tables: {users: [}\n", "not YAML"},
        {", tables: {users: []}\n", "must be a map"},
        {"tables: {users: []}\n---\ntables: {}\n", "a second YAML document"},
        {"tables: {a.b.c: []}\n", "does not name a table"},
        {"mode: loose\ntables: {users: []}\n", "unknown mode 'loose'"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.text);
        const std::string error = rules_error(one.text);
        CAPTURE(error);
        CHECK_FALSE(error.empty());
        CHECK(error.find(one.expected) != std::string::npos);
    }
    CHECK(error_of([] {
              (void)Ruleset::load({"/nonexistent/rules.yaml", ""});
          }).find("unable to read '/nonexistent/rules.yaml'") == 0);
}

TEST_CASE("routes that are refused") {
    const Case cases[] = {
        {"[]", "must map source tables"},
        {"users: {destination: x}", "unknown key 'destination'"},
        {"users: {source_table: orders}", "'source_table' says 'orders'"},
        {"users: {column_mappings: [{source: nosuch, destination: x}]}", "has no column 'nosuch'"},
        {"users: {column_mappings: [{source: id, destination: email}]}", "two columns would be named 'email'"},
        {"users: {column_mappings: [{source: id, destination: x}, {source: id, destination: y}]}", "mapped twice"},
        {"users: {column_mappings: [{source: id}]}", "'destination' is missing"},
        {"users: {operations: [UPSERT]}", "unknown operation 'UPSERT'"},
        {"users: {operations: []}", "at least one operation"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.text);
        const std::string error = routing_error(one.text);
        CAPTURE(error);
        CHECK(error.find(one.expected) != std::string::npos);
    }
}

TEST_CASE("a transform of a key holds for all operations or none") {
    const RelationPtr keyed = relation("users", {column("email", text_type, true), column("age", integer_type)});
    const char* rules =
        "tables: {users: [{type: transform, column: email, operations: [INSERT], "
        "parameters: {type: mask, allow_uniqueness_loss: true}}]}";
    CHECK(error_of([&] { (void)load(rules)->compile(keyed); }).find("must cover insert, update, delete") !=
          std::string::npos);
    CHECK(error_of([&] { (void)load(rules, "users: {operations: [INSERT]}")->compile(keyed); }).empty());
}

TEST_CASE("a transform that loses differences is refused on keys") {
    const RelationPtr keyed = relation("users", {column("email", text_type, true), column("age", integer_type)});
    const char* mask = "tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}";
    CHECK(error_of([&] { (void)load(mask)->compile(keyed); }).find("part of a key") != std::string::npos);
    CHECK(error_of([&] { (void)load(mask)->compile(users_table); }).empty());
    const RelationPtr unique = unique_column(users_table, "email");
    CHECK(error_of([&] { (void)load(mask)->compile(unique); }).find("part of a unique index") != std::string::npos);
    const char* insist =
        "tables: {users: [{type: transform, column: email, allow_uniqueness_loss: true, parameters: {type: mask}}]}";
    CHECK(error_of([&] { (void)load(insist)->compile(unique); }).empty());
    CHECK(error_of([&] { (void)load(insist)->compile(keyed); }).empty());
}

TEST_CASE("strict wants every column named") {
    const char* part = "mode: strict\ntables: {users: [{type: keep, columns: [id, email]}]}";
    CHECK(rules_error(part).find("column 'age'") != std::string::npos);
    const char* all =
        "mode: strict\ntables: {users: [{type: keep, columns: [id, email]}, {type: exclude_column, column: age}]}";
    CHECK(rules_error(all).empty());
    const char* filtered =
        "mode: strict\ntables: {users: [{type: keep, columns: [id, email]}, "
        "{type: filter, column: age, parameters: {operator: gt, value: 1}}]}";
    CHECK(rules_error(filtered).find("column 'age'") != std::string::npos);
    const char* table = "tables: {users: {mode: strict, rules: [{type: keep, column: id}]}}";
    CHECK(rules_error(table).find("column 'email'") != std::string::npos);
    const RelationPtr other = relation("other", {column("id", integer_type, true)});
    CHECK(error_of([&] { (void)load(all)->compile(other); }).find("no rules name the table public.other") !=
          std::string::npos);
    CHECK(error_of([&] { (void)load(table)->compile(other); }).empty());
    CHECK(error_of([&] { (void)load(all, "other: {replicate: false}")->compile(other); }).empty());
}

TEST_CASE("a table of which nothing is left is refused") {
    const RelationPtr keyless =
        relation("t", {column("a", text_type), column("b", text_type)}, ReplicaIdentity::nothing);
    const std::string error =
        error_of([&] { (void)load("tables: {t: [{type: exclude_column, columns: [a, b]}]}")->compile(keyless); });
    CHECK(error.find("all columns are excluded") != std::string::npos);
}
