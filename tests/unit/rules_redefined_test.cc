// A table that is described anew: what its rules may take for what it was.
#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

constexpr const char* mask_email = "tables: {t: [{type: transform, column: email, parameters: {type: mask}}MORE]}";

std::vector<Column> columns(const std::vector<std::string>& names) {
    std::vector<Column> made;
    for (const auto& name : names) made.push_back(column(name, text_type));
    return made;
}

Position at(std::uint64_t commit) { return {Lsn{commit}, 1}; }

// What a worker says that meets one definition and then the other.
std::string between(const std::vector<Column>& before, const std::vector<Column>& now, const std::string& rules) {
    const auto ruleset = load(rules);
    (void)ruleset->accept(relation("t", before), at(1));
    return error_of([&] { (void)ruleset->accept(relation("t", now), at(2)); });
}

std::string masked(const std::vector<std::string>& before, const std::vector<std::string>& now,
                   const std::string& more = "") {
    std::string rules = mask_email;
    return between(columns(before), columns(now), rules.replace(rules.find("MORE"), 4, more));
}

}  // namespace

TEST_CASE("a column with a rule is not taken for one that has its name now") {
    const std::string error = masked({"id", "email", "age"}, {"id", "email_old", "age", "email"});
    CHECK(error.find("what was 'email' may now be 'email_old'") != std::string::npos);
    CHECK(masked({"id", "email"}, {"id", "email_old", "email"}).find("'email_old'") != std::string::npos);
    CHECK(masked({"id", "email"}, {"email", "id"}).find("'id'") != std::string::npos);
    CHECK(masked({"email", "id"}, {"id", "email"}).find("'id'") != std::string::npos);
    // Another column's own rule says what its values need, whatever it was called before.
    CHECK(masked({"id", "email"}, {"email", "id"}, ", {type: keep, column: id}").empty());
}

TEST_CASE("added and dropped columns leave the rest as it is") {
    CHECK(masked({"id", "email"}, {"id", "email", "age"}).empty());
    CHECK(masked({"id", "age", "email"}, {"id", "email"}).empty());
    CHECK(masked({"id", "age", "email", "x"}, {"email", "new"}).empty());
    CHECK(masked({"id", "email", "x"}, {"id", "email", "y"}).empty());
}

TEST_CASE("a filter's order is not changed by a new type of its column") {
    const auto filter = [](const std::string& value, const std::string& more = "") {
        return "tables: {t: [{type: filter, column: age, parameters: {operator: gte, value: " + value + more + "}}]}";
    };
    const std::vector<Column> number{column("age", integer_type)};
    const std::vector<Column> text{column("age", text_type)};
    CHECK(between(number, text, filter("'18'")).find("was integer and is now text") != std::string::npos);
    CHECK(between(number, text, filter("'18'", ", allow_type_change: true")).empty());
    CHECK(between(number, {column("age", numeric_type)}, filter("18")).empty());
    CHECK(error_of([&] { (void)load(filter("18"))->compile(relation("t", text)); }).find("'9' is above '18'") !=
          std::string::npos);
    CHECK(load(filter("'18'"))->compile(relation("t", text)) != nullptr);
    CHECK(load(filter("18"))->compile(relation("t", number)) != nullptr);
}

TEST_CASE("the rules and the route of a partitioned table hold for its partitions") {
    Relation partition{
        7, "public", "p1", ReplicaIdentity::default_key, columns({"id", "email"}), {{"public", "mid"}, {"s", "root"}}};
    const auto made = std::make_shared<const Relation>(partition);
    const auto first_step = [&](const std::string& rules, const std::string& routes = "") {
        const auto steps = load(rules, routes)->compile(made)->describe();
        return steps.empty() ? std::string() : steps[0];
    };
    const std::string drop = "[{type: exclude_column, column: email}]";
    const std::string keep = "[{type: keep, column: email}]";
    CHECK(first_step("tables: {root: " + drop + "}") == "exclude email");
    CHECK(first_step("tables: {s.root: " + drop + "}") == "exclude email");
    CHECK(first_step("tables: {public.root: " + drop + "}").empty());
    CHECK(first_step("tables: {mid: " + keep + ", root: " + drop + "}") == "keep email");
    CHECK(first_step("tables: {p1: " + keep + ", root: " + drop + "}") == "keep email");
    CHECK(first_step("", "root: {destination_table: whole}") == "route to public.whole");
}
