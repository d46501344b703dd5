#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const RelationPtr table_a = relation("a", {column("id", integer_type, true)});
const RelationPtr table_b = relation("b", {column("id", integer_type, true)});

Change truncate(const std::vector<RelationPtr>& tables) {
    Change change;
    change.op = Op::truncate;
    change.relation = tables[0].get();
    change.truncated = tables;
    return change;
}

}  // namespace

TEST_CASE("a truncate goes to the targets") {
    const auto rules = load("", "a: {destination_table: c}");
    const std::vector<RelationPtr> tables{table_a, table_b};
    CHECK(rules->know(tables).empty());
    Arena arena;
    Change change = truncate(tables);
    REQUIRE(rules->apply_truncate(change, arena));
    REQUIRE(change.truncated.size() == 2);
    CHECK(change.truncated[0] == rules->compile(table_a)->target());
    CHECK(change.truncated[1] == table_b);
    CHECK(change.relation->table == "c");
}

TEST_CASE("tables routed away, or without the operation, are left out of a truncate") {
    const auto rules = load("", "{a: {replicate: false}, b: {operations: [INSERT, UPDATE, DELETE]}}");
    const std::vector<RelationPtr> tables{table_a, table_b};
    Arena arena;
    Change change = truncate(tables);
    CHECK_FALSE(rules->apply_truncate(change, arena));
}

TEST_CASE("filters do not see a truncate") {
    const auto rules = load("tables: {a: [{type: filter, column: id, parameters: {operator: gt, value: 5}}]}");
    const std::vector<RelationPtr> tables{table_a};
    Arena arena;
    Change change = truncate(tables);
    CHECK(rules->apply_truncate(change, arena));
}

TEST_CASE("a truncate must not take along rows of a table that is not replicated any more") {
    const auto rules = load("", "{a: {destination_table: b}, c: {destination_table: d}}");
    const RelationPtr c = relation("c", {column("id", integer_type, true)});
    const std::vector<RelationPtr> now{table_a, c};
    const std::vector<RelationPtr> former{std::make_shared<const Relation>(Relation{99, "public", "b", {}, {}})};
    Arena arena;
    CHECK(rules->know(now).empty());
    rules->know_former(former);
    const std::vector<RelationPtr> one{table_a};
    const std::vector<RelationPtr> other{c};
    Change alone = truncate(one);
    CHECK(error_of([&] { rules->apply_truncate(alone, arena); }).find("it also holds rows of public.b") !=
          std::string::npos);
    Change free = truncate(other);
    CHECK(rules->apply_truncate(free, arena));
}

TEST_CASE("a truncate must not take another table's rows along") {
    const auto rules = load("", "{a: {destination_table: c}, b: {destination_table: c}}");
    const std::vector<RelationPtr> one{table_a};
    rules->know(one);
    Arena arena;
    Change alone = truncate(one);
    const std::string error = error_of([&] { rules->apply_truncate(alone, arena); });
    CHECK(error.find("unable to truncate 'public.c': it also holds rows of b") != std::string::npos);
    const std::vector<RelationPtr> both{table_a, table_b};
    Change together = truncate(both);
    REQUIRE(rules->apply_truncate(together, arena));
    CHECK(together.truncated.size() == 1);
}

TEST_CASE("a table that is routed into another's place counts too") {
    const auto rules = load("", "a: {destination_table: b}");
    REQUIRE(rules->compile(table_a) != nullptr);
    Arena arena;
    const std::vector<RelationPtr> one{table_b};
    Change change = truncate(one);
    CHECK(error_of([&] { rules->apply_truncate(change, arena); }).find("rows of a") != std::string::npos);
}

TEST_CASE("the table whose name a routed table takes counts before a row of it was met") {
    const auto rules = load("", "a: {destination_table: b}");
    const std::vector<RelationPtr> one{table_a};
    Arena arena;
    Change unknown = truncate(one);
    CHECK(error_of([&] { rules->apply_truncate(unknown, arena); }).find("it also holds rows of public.b") !=
          std::string::npos);
    const std::vector<RelationPtr> both{table_a, table_b};
    Change together = truncate(both);
    CHECK(rules->apply_truncate(together, arena));

    const auto known = load("", "a: {destination_table: b}");
    known->know(both);
    Change alone = truncate(one);
    CHECK(error_of([&] { known->apply_truncate(alone, arena); }).find("rows of public.b") != std::string::npos);
    const auto no_b = load("", "a: {destination_table: b}");
    no_b->know(one);
    Change free = truncate(one);
    CHECK(no_b->apply_truncate(free, arena));
    const auto elsewhere = load("", "{a: {destination_table: b}, b: {destination_table: d}}");
    Change moved = truncate(one);
    CHECK(elsewhere->apply_truncate(moved, arena));
}

TEST_CASE("a truncate that passed stops once another table fills its target") {
    const auto in = [](const std::string& schema) {
        Relation table = *table_a;
        table.schema = schema;
        return std::make_shared<const Relation>(table);
    };
    const auto rules = load("", "tables: {\"app_*.a\": {to: w.a}}");
    const std::vector<RelationPtr> first{in("app_1")};
    CHECK(rules->know(first).empty());
    Arena arena;
    Change alone = truncate(first);
    CHECK(rules->apply_truncate(alone, arena));
    REQUIRE(rules->accept(in("app_2"), {}) != nullptr);
    Change later = truncate(first);
    CHECK(error_of([&] { rules->apply_truncate(later, arena); }).find("it also holds rows of app_2.a") !=
          std::string::npos);
}

TEST_CASE("partitions that share a target are truncated only together") {
    Relation first{1, "public", "p1", ReplicaIdentity::default_key, table_a->columns, {{"public", "parted"}}};
    Relation second = first;
    second.oid = 2;
    second.table = "p2";
    const std::vector<RelationPtr> all{std::make_shared<const Relation>(first),
                                       std::make_shared<const Relation>(second)};
    const auto rules = load("", "parted: {destination_table: whole}");
    rules->know(all);
    Arena arena;
    Change both = truncate(all);
    REQUIRE(rules->apply_truncate(both, arena));
    CHECK(both.truncated.size() == 1);
    CHECK(both.truncated[0]->table == "whole");
    const std::vector<RelationPtr> one{all[0]};
    Change alone = truncate(one);
    CHECK(error_of([&] { rules->apply_truncate(alone, arena); }).find("rows of public.p2") != std::string::npos);
}
