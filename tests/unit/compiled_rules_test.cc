#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const RelationPtr users_table = relation("users", {column("id", integer_type, true), column("email", text_type),
                                                   column("age", integer_type), column("ssn", text_type)});
const RelationPtr full_users = relation("users", users_table->columns, ReplicaIdentity::full);

constexpr const char* adults_only =
    "tables: {users: [{type: filter, column: age, parameters: {operator: gte, value: 18}}]}";

const Values adult_row{text("1"), text("john@example.com"), text("18"), text("123-45")};
const Values child_row{text("1"), text("john@example.com"), text("17"), text("123-45")};
const Values masked_row{text("1"), text("j**************m"), text("18")};

}  // namespace

TEST_CASE("without files the rules change nothing") {
    const auto compiled = load("")->compile(users_table);
    Arena arena;
    Change change = insert(users_table, child_row);
    CHECK(compiled->passes_copy());
    CHECK(compiled->target() == users_table);
    CHECK(compiled->apply(change, arena));
    CHECK(change.new_row.data() == child_row.data());
    CHECK(change.relation == users_table.get());
    CHECK(compiled->describe().empty());
}

TEST_CASE("the example masks, filters and excludes") {
    const auto compiled = load(example_rules)->compile(users_table);
    Arena arena;
    Change change = insert(users_table, adult_row);
    REQUIRE(compiled->apply(change, arena));
    CHECK(values(change.new_row) == masked_row);
    CHECK(change.relation == compiled->target().get());
    CHECK(compiled->target()->columns.size() == 3);
    CHECK_FALSE(compiled->passes_copy());

    Change dropped = insert(users_table, child_row);
    CHECK_FALSE(compiled->apply(dropped, arena));
}

TEST_CASE("a snapshot row is treated as an insert") {
    const auto compiled = load(example_rules)->compile(users_table);
    Arena arena;
    Change change = insert(users_table, adult_row);
    change.snapshot = true;
    REQUIRE(compiled->apply(change, arena));
    CHECK(values(change.new_row) == masked_row);
    CHECK(change.snapshot);
}

TEST_CASE("old rows are masked as new ones") {
    const auto compiled = load(example_rules)->compile(full_users);
    Arena arena;
    SUBCASE("of an update") {
        Change change = update(full_users, adult_row, OldRow::full, adult_row);
        REQUIRE(compiled->apply(change, arena));
        CHECK(change.op == Op::update);
        CHECK(values(change.new_row) == masked_row);
        CHECK(values(change.old_row) == masked_row);
    }
    SUBCASE("of a delete") {
        Change change = del(full_users, OldRow::full, adult_row);
        REQUIRE(compiled->apply(change, arena));
        CHECK(values(change.old_row) == masked_row);
    }
}

TEST_CASE("unchanged values and NULL stay what they are under a mask") {
    const auto compiled =
        load("tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}")->compile(users_table);
    Arena arena;
    const Values row{text("1"), toast, null, text("")};
    Change change = update(users_table, row);
    REQUIRE(compiled->apply(change, arena));
    CHECK(values(change.new_row) == row);
    const Values none{text("1"), null, null, null};
    Change with_null = insert(users_table, none);
    REQUIRE(compiled->apply(with_null, arena));
    CHECK(values(with_null.new_row) == none);
}

TEST_CASE("a filter that may keep old values, for deletes are not replicated, is warned of") {
    const auto warnings = [&](const std::string& routes, const RelationPtr& table) {
        const std::string rule =
            "{type: filter, column: age, parameters: {operator: gte, value: 18, allow_empty_deletes: true}}";
        return load("tables: {users: [" + rule + "]}", routes)->compile(table)->warnings();
    };
    CHECK(warnings("users: {operations: [INSERT, UPDATE, DELETE]}", users_table).empty());
    for (const char* routes : {"users: {operations: [INSERT, UPDATE]}", "tables: {users: {mode: append}}"}) {
        const auto said = warnings(routes, users_table);
        REQUIRE(said.size() == 1);
        CHECK(said[0].find("may keep an old value in 'email'") != std::string::npos);
    }
}

TEST_CASE("a delete by key and a filter on another column") {
    const Values key{text("1"), null, null, null};
    Arena arena;
    SUBCASE("is dropped, and said so") {
        const auto compiled = load(adults_only)->compile(users_table);
        Change change = del(users_table, OldRow::key, key);
        CHECK_FALSE(compiled->apply(change, arena));
        REQUIRE(compiled->warnings().size() == 1);
        CHECK(compiled->warnings()[0].find("deletes of public.users are dropped") != std::string::npos);
    }
    SUBCASE("passes with allow_empty_deletes, in the rule or its parameters") {
        for (const char* rule :
             {"{type: filter, column: age, parameters: {operator: gte, value: 18}, allow_empty_deletes: true}",
              "{type: filter, column: age, parameters: {operator: gte, value: 18, allow_empty_deletes: true}}"}) {
            const auto compiled = load(std::string("tables: {users: [") + rule + "]}")->compile(users_table);
            Change change = del(users_table, OldRow::key, key);
            CHECK(compiled->apply(change, arena));
            CHECK(values(change.old_row) == key);
            CHECK(compiled->warnings().empty());
        }
    }
    SUBCASE("is answered by a full old row") {
        const auto compiled = load(adults_only)->compile(full_users);
        Change adult = del(full_users, OldRow::full, adult_row);
        Change child = del(full_users, OldRow::full, child_row);
        CHECK(compiled->apply(adult, arena));
        CHECK_FALSE(compiled->apply(child, arena));
        CHECK(compiled->warnings().empty());
    }
}

TEST_CASE("an update moves a row into or out of a filter") {
    const auto full = load(adults_only)->compile(full_users);
    const auto by_key = load(adults_only)->compile(users_table);
    Arena arena;
    SUBCASE("in: an insert") {
        Change change = update(full_users, adult_row, OldRow::full, child_row);
        REQUIRE(full->apply(change, arena));
        CHECK(change.op == Op::insert);
        CHECK(change.old_kind == OldRow::none);
        CHECK(values(change.new_row) == adult_row);
    }
    SUBCASE("in, with an unchanged value: filled from the old row") {
        const Values row{text("1"), toast, text("18"), text("123-45")};
        Change change = update(full_users, row, OldRow::full, child_row);
        REQUIRE(full->apply(change, arena));
        CHECK(values(change.new_row) == adult_row);
    }
    SUBCASE("out: a delete") {
        Change change = update(full_users, child_row, OldRow::full, adult_row);
        REQUIRE(full->apply(change, arena));
        CHECK(change.op == Op::del);
        CHECK(change.new_row.empty());
        CHECK(values(change.old_row) == adult_row);
    }
    SUBCASE("neither before nor after: nothing") {
        Change change = update(full_users, child_row, OldRow::full, child_row);
        CHECK_FALSE(full->apply(change, arena));
    }
    SUBCASE("in, for all that is known: an update that may insert") {
        Change change = update(users_table, adult_row);
        REQUIRE(by_key->apply(change, arena));
        CHECK(change.op == Op::update);
        CHECK(change.upsert);
    }
    SUBCASE("out, for all that is known: a delete by key") {
        Change change = update(users_table, child_row);
        REQUIRE(by_key->apply(change, arena));
        CHECK(change.op == Op::del);
        CHECK(change.old_kind == OldRow::key);
        CHECK(values(change.old_row) == Values{text("1"), null, null, null});
    }
    SUBCASE("out, and the key changed too: a delete by the old key") {
        const Values old_key{text("7"), null, null, null};
        Change change = update(users_table, child_row, OldRow::key, old_key);
        REQUIRE(by_key->apply(change, arena));
        CHECK(values(change.old_row)[0] == text("7"));
    }
}

TEST_CASE("an update that may insert does not show what an insert hides") {
    const std::string filter = "{type: filter, column: age, parameters: {operator: gte, value: 18}}";
    const auto compiled = load("tables: {users: [" + filter +
                               ", {type: transform, column: email, operations: [INSERT], parameters: {type: mask}}, "
                               "{type: transform, column: ssn, operations: [UPDATE], parameters: {type: mask}}]}")
                              ->compile(users_table);
    Arena arena;
    Change change = update(users_table, adult_row);
    REQUIRE(compiled->apply(change, arena));
    CHECK(change.upsert);
    CHECK(change.new_row[1].text().find("***") != std::string::npos);
    CHECK(change.new_row[3].text().find("***") != std::string::npos);
}

TEST_CASE("a filter on the key knows the old row without being told") {
    const auto compiled = load("tables: {users: [{type: filter, column: id, parameters: {operator: lt, value: 10}}]}")
                              ->compile(users_table);
    Arena arena;
    Change same = update(users_table, adult_row);
    REQUIRE(compiled->apply(same, arena));
    CHECK(same.op == Op::update);
    CHECK_FALSE(same.upsert);
    const Values beyond{text("11"), null, null, null};
    Change outside = update(users_table, beyond);
    CHECK_FALSE(compiled->apply(outside, arena));
    Change entering = update(users_table, adult_row, OldRow::key, beyond);
    REQUIRE(compiled->apply(entering, arena));
    CHECK(entering.op == Op::insert);
}

TEST_CASE("a filter that cannot see its value stops") {
    const auto compiled =
        load("tables: {users: [{type: filter, column: email, parameters: {operator: contains, value: '@'}}]}")
            ->compile(users_table);
    Arena arena;
    const Values row{text("1"), toast, text("18"), text("x")};
    Change change = update(users_table, row);
    const std::string error = error_of([&] { compiled->apply(change, arena); });
    CHECK(error.find("rule 1 of table 'users', column 'email'") != std::string::npos);
    CHECK(error.find("REPLICA IDENTITY FULL") != std::string::npos);
    Change known = update(users_table, row, OldRow::full, adult_row);
    CHECK(compiled->apply(known, arena));
}

TEST_CASE("rules hold only for their operations") {
    const auto compiled =
        load("tables: {users: [{type: transform, column: email, operations: [INSERT], parameters: {type: mask}}]}")
            ->compile(users_table);
    Arena arena;
    Change added = insert(users_table, adult_row);
    Change changed = update(users_table, adult_row);
    REQUIRE(compiled->apply(added, arena));
    REQUIRE(compiled->apply(changed, arena));
    CHECK(values(added.new_row)[1] == text("j**************m"));
    CHECK(values(changed.new_row)[1] == adult_row[1]);
}

TEST_CASE("an update that becomes an insert shows nothing an insert hides") {
    const auto compiled = load(R"(
tables:
  users:
    - {type: transform, column: email, operations: [INSERT, UPDATE, DELETE], parameters: {type: mask}}
    - {type: filter, column: age, operations: [INSERT, UPDATE], parameters: {operator: gte, value: 18}}
)")
                              ->compile(full_users);
    Arena arena;
    Change change = update(full_users, adult_row, OldRow::full, child_row);
    REQUIRE(compiled->apply(change, arena));
    CHECK(change.op == Op::insert);
    CHECK(values(change.new_row)[1] == text("j**************m"));
}

TEST_CASE("a row that came in under other filters than those of updates may be there") {
    const auto compiled = load(R"(
tables:
  users:
    - {type: filter, column: age, operations: [UPDATE], parameters: {operator: gte, value: 18}}
)")
                              ->compile(full_users);
    Arena arena;
    // The child was inserted, for no filter holds for inserts.
    Change grown = update(full_users, adult_row, OldRow::full, child_row);
    REQUIRE(compiled->apply(grown, arena));
    CHECK(grown.op == Op::update);
    CHECK(grown.upsert);
    Change still_young = update(full_users, child_row, OldRow::full, child_row);
    REQUIRE(compiled->apply(still_young, arena));
    CHECK(still_young.op == Op::del);
    Change still_old = update(full_users, adult_row, OldRow::full, adult_row);
    REQUIRE(compiled->apply(still_old, arena));
    CHECK_FALSE(still_old.upsert);
}

TEST_CASE("a filter after a transform judges the transformed value") {
    const auto filter = [](const char* first, const char* second) {
        return load(std::string("tables: {users: [") + first + ", " + second + "]}")->compile(users_table);
    };
    const char* mask = "{type: transform, column: email, parameters: {type: mask}}";
    const char* whole = "{type: filter, column: email, parameters: {operator: eq, value: john@example.com}}";
    Arena arena;
    Change before = insert(users_table, adult_row);
    Change after = insert(users_table, adult_row);
    CHECK(filter(whole, mask)->apply(before, arena));
    CHECK_FALSE(filter(mask, whole)->apply(after, arena));
}

TEST_CASE("routing renames and leaves operations out") {
    const auto compiled = load("", R"(
users:
  source_table: users
  destination_table: crm.customers
  column_mappings: [{source: id, destination: customer_id}]
  operations: [INSERT, UPDATE]
)")
                              ->compile(users_table);
    CHECK(compiled->target()->schema == "crm");
    CHECK(compiled->target()->table == "customers");
    CHECK(compiled->target()->columns[0].name == "customer_id");
    CHECK(compiled->target()->columns[0].key);
    CHECK(compiled->target()->columns[1].name == "email");
    CHECK(compiled->passes_copy());
    Arena arena;
    Change added = insert(users_table, adult_row);
    REQUIRE(compiled->apply(added, arena));
    CHECK(added.new_row.data() == adult_row.data());
    CHECK(added.relation == compiled->target().get());
    Change deleted = del(users_table, OldRow::key, adult_row);
    CHECK_FALSE(compiled->apply(deleted, arena));
}

TEST_CASE("a table without a route keeps its place, one without replication has no rules") {
    const auto rules = load("", "users: {replicate: false}");
    CHECK(rules->compile(users_table) == nullptr);
    const RelationPtr other = relation("other", {column("id", integer_type, true)});
    CHECK(rules->compile(other)->target() == other);
}

TEST_CASE("an entry that names the schema wins") {
    const auto rules = load("", "{users: {destination_table: a}, shop.users: {destination_table: b}}");
    Relation shop = *users_table;
    shop.schema = "shop";
    CHECK(rules->compile(users_table)->target()->table == "a");
    CHECK(rules->compile(std::make_shared<const Relation>(shop))->target()->table == "b");
    CHECK(rules->tables() == std::vector<std::string>{"shop.users", "users"});
}

TEST_CASE("the same relation gives the same rules") {
    const auto rules = load(example_rules);
    CHECK(rules->compile(users_table) == rules->compile(users_table));
}

TEST_CASE("a row of another shape is not taken") {
    const auto compiled = load(example_rules)->compile(users_table);
    Arena arena;
    const Values row{text("1"), text("secret@example.com")};
    Change change = insert(users_table, row);
    const std::string error = error_of([&] { compiled->apply(change, arena); });
    CHECK(error.find("4 columns") != std::string::npos);
}

TEST_CASE("compiled rules say what they do") {
    const auto compiled =
        load(example_rules, "users: {destination_table: customers, operations: [INSERT]}")->compile(users_table);
    CHECK(compiled->describe() == std::vector<std::string>{"route to public.customers", "only insert",
                                                           "email: mask with '*'", "only rows where age gte 18",
                                                           "exclude ssn"});
}
