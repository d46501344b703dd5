#include "worker/shown_rows.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {

Column column(const std::string& name, bool key = false) {
    Column made;
    made.name = name;
    made.key = key;
    return made;
}

const Relation people{1, "public", "people", ReplicaIdentity::default_key, {column("id", true), column("email")}};
const Relation crm{1, "crm", "customers", ReplicaIdentity::default_key, {column("id", true), column("email")}};

Change insert_of(const Relation& table, const std::array<Value, 2>& row) {
    Change change;
    change.relation = &table;
    change.new_row = row;
    return change;
}

// What is shown of a row once someone looks.
std::string shown(ShowRows show, const std::array<Value, 2>& before, const std::array<Value, 2>* after) {
    ShownRows rows(show);
    static_cast<void>(rows.look());
    REQUIRE(rows.wants());
    const Change source = insert_of(people, before);
    const Change passed = insert_of(crm, after != nullptr ? *after : before);
    rows.take(source, after != nullptr ? &passed : nullptr);
    return rows.look();
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::array<Value, 2> raw{Value("1"), Value("ada@example.com")};
const std::array<Value, 2> masked{Value("1"), Value("***")};

}  // namespace

TEST_CASE("only what the rules have left is shown, and with both also what it was before") {
    CHECK(
        shown(ShowRows::after, raw, &masked) ==
        R"([{"op":"insert","table":"crm.customers","time_us":0,"dropped":false,"after":[["id","1"],["email","***"]]}])");
    CHECK(
        shown(ShowRows::both, raw, &masked) ==
        R"([{"op":"insert","table":"crm.customers","time_us":0,"dropped":false,"before":[["id","1"],["email","ada@example.com"]],"after":[["id","1"],["email","***"]]}])");
}

TEST_CASE("of a row that the rules drop no value is shown, unless both are asked for") {
    CHECK(shown(ShowRows::after, raw, nullptr) ==
          R"([{"op":"insert","table":"public.people","time_us":0,"dropped":true}])");
    CHECK(holds(shown(ShowRows::both, raw, nullptr), "ada@example.com"));
}

TEST_CASE("an update shows its new row alone, a delete the key that it names") {
    const std::array<Value, 2> old{Value("9"), Value("old")};
    ShownRows rows(ShowRows::both);
    static_cast<void>(rows.look());
    Change update = insert_of(people, {Value("1"), Value::unchanged()});
    const std::array<Value, 2> next{Value("1"), Value::unchanged()};
    update.op = Op::update;
    update.new_row = next;
    update.old_kind = OldRow::full;
    update.old_row = old;
    rows.take(update, &update);
    Change removal;
    removal.op = Op::del;
    removal.relation = &people;
    removal.old_kind = OldRow::key;
    removal.old_row = old;
    rows.take(removal, &removal);
    const std::string all = rows.look();
    CHECK(holds(all, R"("after":[["id","1"],["email",false]])"));
    CHECK(holds(all, R"("after":[["id","9"]])"));
    CHECK_FALSE(holds(all, "old"));
}

TEST_CASE("nothing is taken while no one looks, and a few a second while someone does") {
    static ShownRows::Clock::time_point now;
    now = ShownRows::Clock::now();
    const auto clock = [] { return now; };
    ShownRows rows(ShowRows::after);
    const Change change = insert_of(people, raw);
    CHECK_FALSE(rows.wants(clock));
    CHECK(rows.look(now) == "[]");
    int taken = 0;
    for (int i = 0; i < 1000; ++i) {
        if (!rows.wants(clock)) continue;
        rows.take(change, &change);
        ++taken;
    }
    CHECK(taken == ShownRows::most_rows_a_second);
    now += 1s;
    CHECK(rows.wants(clock));
    now += ShownRows::looks_for + 1s;
    CHECK_FALSE(rows.wants(clock));
    CHECK(rows.look(now) == "[]");  // they were of when someone looked
}

TEST_CASE("whatever the rows hold, memory is bounded, and no character is cut in two") {
    Relation wide{1, "public", "wide", ReplicaIdentity::default_key, {}};
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "ä";
    std::vector<Value> values;
    for (int i = 0; i < 1000; ++i) {
        wide.columns.push_back(column("column" + std::to_string(i)));
        values.emplace_back(i % 2 == 0 ? std::string_view(text) : std::string_view("x").substr(0, 1));
    }
    Change change;
    change.relation = &wide;
    change.new_row = values;
    ShownRows rows(ShowRows::both);
    static_cast<void>(rows.look());
    for (int i = 0; i < 500; ++i) rows.take(change, &change);
    const std::string all = rows.look();
    CHECK(all.size() > ShownRows::most_rows * 1000);
    CHECK(all.size() < ShownRows::most_rows * (ShownRows::most_row_bytes + 2000));
    CHECK(holds(all, "ä…"));
    CHECK_FALSE(holds(all, "\xc3…"));
    CHECK_FALSE(holds(all, "{\"hex\""));
}
