#include "rules/check.h"

#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const RelationPtr users_table =
    relation("users", {column("id", integer_type, true), column("email", text_type), column("age", integer_type)});
const RelationPtr other_table = relation("other", {column("id", integer_type, true)});

constexpr const char* rules_text = R"(
tables:
  users:
    - {type: transform, column: email, parameters: {type: mask}}
    - {type: filter, column: age, operations: [INSERT, UPDATE], parameters: {operator: gte, value: 18}}
)";

}  // namespace

TEST_CASE("check prints plans and samples") {
    const Values adult{text("1"), text("abc"), text("18")};
    const Values child{text("2"), null, text("3")};
    const std::vector<CheckedTable> tables{{users_table, {adult, child}}, {other_table, {}}};
    const RulesCheck check = check_rules(*load(rules_text, "users: {destination_table: people}"), tables);
    CHECK(check.text ==
          "public.users\n"
          "  route to public.people\n"
          "  email: mask with '*'\n"
          "  only rows where age gte 18 on insert, update\n"
          "  before  id='1' email='abc' age='18'\n"
          "  after   id='1' email='a*c' age='18'\n"
          "  before  id='2' email=NULL age='3'\n"
          "  after   (left out)\n"
          "public.other: as it is\n");
    CHECK(check.problems.empty());
    CHECK(check.warnings.empty());
}

TEST_CASE("check reports what would stop a worker") {
    const Values bad{text("1"), text("canary\xff"), text("18")};
    const std::vector<CheckedTable> tables{{users_table, {bad}}};
    const RulesCheck row = check_rules(*load(rules_text), tables);
    REQUIRE(row.problems.size() == 1);
    CHECK(row.problems[0].find("not valid UTF-8") != std::string::npos);
    CHECK(row.problems[0].find("canary") == std::string::npos);

    const std::vector<CheckedTable> unique{{unique_column(users_table, "email"), {}}};
    const RulesCheck compiled = check_rules(*load(rules_text), unique);
    REQUIRE(compiled.problems.size() == 1);
    CHECK(compiled.problems[0].find("allow_uniqueness_loss") != std::string::npos);
    CHECK(compiled.text == "public.users: refused\n");
}

TEST_CASE("check reports tables that are not there") {
    const std::vector<CheckedTable> tables{{other_table, {}}};
    const RulesCheck check = check_rules(*load(rules_text, "other: {replicate: false}"), tables);
    CHECK(check.text == "public.other: not replicated\n");
    REQUIRE(check.warnings.size() == 1);
    CHECK(check.warnings[0] == "the files name table 'users', which does not exist");
}

TEST_CASE("names and values begin no line of their own, and move no cursor") {
    const auto table = relation("x\npublic.y: as it is", {column("a\x1b[2J", text_type)});
    const Values row{text("1\n2")};
    const std::vector<CheckedTable> tables{{table, {row}}};
    const RulesCheck check = check_rules(*load("tables: {}"), tables);
    CHECK(check.text ==
          "public.x\\npublic.y: as it is: as it is\n"
          "  before  a\\u001b[2J='1\\n2'\n"
          "  after   a\\u001b[2J='1\\n2'\n");
}
