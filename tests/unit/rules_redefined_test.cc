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

TEST_CASE("a column that was there and comes with rows only now needs a rule where others are hidden") {
    const auto numbered = [](std::vector<std::pair<std::int16_t, std::string>> names) {
        std::vector<Column> made;
        for (const auto& [number, name] : names) made.push_back(column(name, text_type));
        for (std::size_t i = 0; i < made.size(); ++i) made[i].number = names[i].first;
        return made;
    };
    const auto before = numbered({{1, "id"}, {2, "email"}, {4, "age"}});
    const auto now = numbered({{1, "id"}, {2, "email"}, {3, "lower"}, {4, "age"}});
    const auto rules = [](const std::string& more) {
        return "tables: {t: [{type: transform, column: email, parameters: {type: mask}}" + more + "]}";
    };
    CHECK(between(before, now, rules("")).find("its column 'lower' did not come with rows before") !=
          std::string::npos);
    // As the error's hint says; what the table is like now is known when the worker starts again.
    for (const std::string more : {", {type: keep, column: lower}", ", {type: exclude_column, column: lower}"}) {
        const auto ruleset = load(rules(more));
        const RelationPtr known = relation("t", now);
        CHECK(ruleset->know({&known, 1}).empty());
        (void)ruleset->accept(relation("t", before), at(1));
        CHECK(ruleset->accept(relation("t", now), at(2)) != nullptr);
    }
    CHECK(between(now, before, rules("")).empty());
    CHECK(between(before, numbered({{1, "id"}, {2, "email"}, {4, "age"}, {5, "added"}}), rules("")).empty());
    CHECK(between(before, now, "tables: {t: [{type: filter, column: age, parameters: {operator: not_null}}]}").empty());
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
