#include "sinks/webhook/key_hash.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

Relation table(ReplicaIdentity identity, const std::string& name = "users") {
    Relation made;
    made.schema = "public";
    made.table = name;
    made.identity = identity;
    const bool full = identity == ReplicaIdentity::full;
    made.columns = {
        {"a", 25, -1, true, "text", 25, 0}, {"b", 25, -1, true, "text", 25, 0}, {"c", 25, -1, full, "text", 25, 0}};
    return made;
}

struct Rows {
    Value new_row[3];
    Value old_row[3];
};

Change change_of(const Relation& relation, Op op, const Rows& rows, OldRow kind = OldRow::none) {
    Change change;
    change.op = op;
    change.relation = &relation;
    change.new_row = rows.new_row;
    change.old_row = rows.old_row;
    change.old_kind = kind;
    return change;
}

}  // namespace

TEST_CASE("all changes of a row have one hash, whatever its other columns hold") {
    const Relation users = table(ReplicaIdentity::default_key);
    KeyHash keys;
    const Rows first{{Value("1"), Value("x"), Value("first")}, {}};
    const Rows second{{Value("1"), Value("x"), Value::unchanged()}, {}};
    const Rows third{{}, {Value("1"), Value("x"), Value()}};
    const auto hash = keys.of(change_of(users, Op::insert, first));
    CHECK(hash);
    CHECK(keys.of(change_of(users, Op::update, second)) == hash);
    CHECK(keys.of(change_of(users, Op::del, third, OldRow::key)) == hash);
}

TEST_CASE("rows and tables are told apart, and the columns of a key") {
    const Relation users = table(ReplicaIdentity::default_key);
    const Relation others = table(ReplicaIdentity::index, "others");
    KeyHash keys;
    const Rows rows{{Value("1"), Value("x"), Value()}, {}};
    const auto hash = keys.of(change_of(users, Op::insert, rows));
    CHECK(keys.of(change_of(users, Op::insert, {{Value("2"), Value("x"), Value()}, {}})) != hash);
    CHECK(keys.of(change_of(users, Op::insert, {{Value("1x"), Value(""), Value()}, {}})) != hash);
    CHECK(keys.of(change_of(others, Op::insert, rows)) != hash);
}

TEST_CASE("what concerns more than a row has none") {
    const Relation users = table(ReplicaIdentity::default_key);
    KeyHash keys;
    const Rows moved{{Value("2"), Value("x"), Value()}, {Value("1"), Value("x"), Value()}};
    CHECK_FALSE(keys.of(change_of(users, Op::update, moved, OldRow::key)));
    CHECK_FALSE(keys.of(change_of(users, Op::truncate, {})));
    CHECK_FALSE(keys.of(change_of(users, Op::message, {})));
    CHECK_FALSE(keys.of(change_of(users, Op::update, {{Value::unchanged(), Value("x"), Value()}, {}})));
    const Rows same{{Value("1"), Value("x"), Value("new")}, {Value("1"), Value("x"), Value()}};
    CHECK(keys.of(change_of(users, Op::update, same, OldRow::key)));
}

TEST_CASE("the first change under another key has none, the next ones have") {
    const Relation users = table(ReplicaIdentity::default_key);
    Relation wider = users;  // another column changes nothing
    wider.columns.push_back({"d", 25, -1, false, "text", 25, 0});
    Relation other_key = users;
    other_key.columns[1].key = false;
    Relation other_type = other_key;
    other_type.columns[0].type_oid = 1043;
    const Relation others = table(ReplicaIdentity::default_key, "others");
    const Relation full = table(ReplicaIdentity::full);
    KeyHash keys;
    const Rows rows{{Value("1"), Value("x"), Value()}, {}};
    const auto hash = [&](const Relation& relation) { return keys.of(change_of(relation, Op::insert, rows)); };
    const auto first = hash(users);
    CHECK(first);
    CHECK(hash(others));
    CHECK(hash(wider) == first);
    CHECK_FALSE(hash(other_key));
    CHECK(hash(others));
    CHECK(hash(other_key));
    CHECK(hash(other_key) != first);
    CHECK_FALSE(hash(other_type));
    CHECK_FALSE(hash(full));
    CHECK(hash(full));
    CHECK_FALSE(hash(users));
    CHECK(hash(users) == first);
}

TEST_CASE("a table without a key is one thing") {
    for (const auto identity : {ReplicaIdentity::full, ReplicaIdentity::nothing}) {
        const Relation users = table(identity);
        KeyHash keys;
        const Rows first{{Value("1"), Value("x"), Value("first")}, {}};
        const Rows second{{Value("2"), Value("y"), Value()}, {Value("1"), Value("x"), Value("first")}};
        CHECK(keys.of(change_of(users, Op::insert, first)));
        CHECK(keys.of(change_of(users, Op::insert, first)) ==
              keys.of(change_of(users, Op::update, second, OldRow::full)));
    }
}
