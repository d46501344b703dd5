// Routes with a condition on rows: where.
#include <doctest/doctest.h>

#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

constexpr const char* dear = "orders: {where: \"amount > 10 and region in ('eu', 'us')\"}";

RelationPtr orders(ReplicaIdentity identity = ReplicaIdentity::default_key) {
    return relation("orders",
                    {column("id", integer_type, true), column("amount", numeric_type), column("region", text_type)},
                    identity);
}

std::string refusal(const std::string& routing) {
    return error_of([&] { static_cast<void>(load("", routing)->compile(orders())); });
}

// What becomes of it; nothing where it is dropped.
std::optional<Change> applied(const RelationPtr& table, Change change, const char* routing = dear) {
    static Arena arena;
    const auto rules = load("", routing)->compile(table);
    if (!rules->apply(change, arena)) return std::nullopt;
    return change;
}

}  // namespace

TEST_CASE("a row passes where the condition is true, and not where it is NULL") {
    const auto table = orders();
    const Values passes{text("1"), text("10.01"), text("eu")};
    const Values fails{text("1"), text("10.00"), text("eu")};
    const Values unknown{text("1"), null, text("eu")};
    CHECK(applied(table, insert(table, passes)));
    CHECK(!applied(table, insert(table, fails)));
    CHECK(!applied(table, insert(table, unknown)));
    CHECK(!load("", dear)->compile(table)->passes_copy());
    CHECK(contains(load("", dear)->compile(table)->describe().back(), "only rows where amount > 10"));
}

TEST_CASE("an update across the condition is an insert or a delete") {
    const auto table = orders(ReplicaIdentity::full);
    const Values passes{text("1"), text("11"), text("eu")};
    const Values fails{text("1"), text("9"), text("eu")};
    CHECK(applied(table, update(table, passes, OldRow::full, fails))->op == Op::insert);
    CHECK(applied(table, update(table, fails, OldRow::full, passes))->op == Op::del);
    CHECK(applied(table, update(table, passes, OldRow::full, passes))->op == Op::update);
    CHECK(!applied(table, update(table, fails, OldRow::full, fails)));
    CHECK(applied(table, del(table, OldRow::full, passes)));
    CHECK(!applied(table, del(table, OldRow::full, fails)));
}

TEST_CASE("without an old row an update may be an insert, and a delete passes") {
    const auto table = orders();
    const Values passes{text("1"), text("11"), text("eu")};
    const Values fails{text("1"), text("9"), text("eu")};
    const Values key{text("1"), null, null};
    CHECK(applied(table, update(table, passes))->upsert);
    CHECK(applied(table, update(table, fails))->op == Op::del);
    CHECK(applied(table, del(table, OldRow::key, key)));
    // The key did not change, so what is judged by it is known.
    const auto by_key = applied(table, update(table, fails), "orders: {where: id < 5}");
    REQUIRE(by_key);
    CHECK(!by_key->upsert);
    CHECK(!applied(table, del(table, OldRow::key, key), "orders: {where: id > 5}"));
}

TEST_CASE("unchanged TOAST that the condition needs stops the worker, unless the old row has it") {
    const auto table = orders();
    const Values row{text("1"), text("11"), toast};
    CHECK(contains(error_of([&] { applied(table, update(table, row)); }), "REPLICA IDENTITY FULL"));
    const auto full = orders(ReplicaIdentity::full);
    const Values old{text("1"), text("11"), text("eu")};
    CHECK(applied(full, update(full, row, OldRow::full, old))->op == Op::update);
    const Values below{text("1"), text("9"), text("eu")};
    const auto entered = applied(full, update(full, row, OldRow::full, below));
    REQUIRE(entered);
    CHECK(entered->op == Op::insert);
    CHECK(values(entered->new_row) == old);
}

TEST_CASE("a condition that does not fit is refused at start, with file and line") {
    CHECK(contains(refusal("orders:\n  where: amount >"), "routing.yaml:2): syntax error"));
    CHECK(contains(refusal("orders: {where: amount + 1}"), "'where' is numeric, and not boolean"));
    CHECK(contains(refusal("orders: {where: nosuch = 1}"), "has no column 'nosuch'"));
    CHECK(contains(refusal("orders: {where: [id]}"), "'where' must be an expression"));
    CHECK(contains(refusal("defaults: {where: id = 1}"), "unknown key 'where'"));
    const auto table = orders();
    const Values row{text("2147483647"), text("11"), text("eu")};
    CHECK(contains(error_of([&] { applied(table, insert(table, row), "orders: {where: id + 1 > 0}"); }),
                   "in the expression: the number is out of range"));
    CHECK(applied(table, insert(table, row), "orders: {where: 'id::bigint + 1 > 0'}"));
}

TEST_CASE("other rows and other columns are noticed") {
    const auto table = orders();
    CHECK(!(load("", "orders: {}")->meaning(table) == load("", dear)->meaning(table)));
    CHECK(
        !(load("", "orders: {where: id > 1}")->meaning(table) == load("", "orders: {where: id > 2}")->meaning(table)));
    const auto rules = load("", dear);
    Relation before = *table;
    for (std::size_t i = 0; i < before.columns.size(); ++i) before.columns[i].number = static_cast<std::int16_t>(i + 1);
    Relation now = before;
    now.columns[1].name = "old_amount";
    now.columns.push_back(before.columns[1]);
    now.columns.back().number = 4;
    static_cast<void>(rules->accept(std::make_shared<const Relation>(before), {Lsn{1}, 1}));
    CHECK(contains(error_of([&] {
                       static_cast<void>(rules->accept(std::make_shared<const Relation>(now), {Lsn{2}, 1}));
                   }),
                   "is now named 'old_amount'"));
}
