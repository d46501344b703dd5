// Routes that list their columns: columns: {only: [...]}.
#include <doctest/doctest.h>

#include "rules/ddl/expression.h"
#include "stream/definition/definition_message.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

constexpr const char* two = "users: {columns: {only: [id, email]}}";

RelationPtr users(bool ssn_in_key = false) {
    return relation(
        "users", {column("id", integer_type, true), column("ssn", text_type, ssn_in_key), column("email", text_type)});
}

std::string refusal(const std::string& routing, const RelationPtr& table = users(), const std::string& rules = {}) {
    return error_of([&] { static_cast<void>(load(rules, routing)->compile(table)); });
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::optional<DefinitionMessage> ruled(const DefinitionMessage& message) {
    const auto content = ruled_ddl(*load("", two), encode(message));
    return content ? std::optional(decode_definitions(*content)) : std::nullopt;
}

DefinitionMessage index_with(const std::string& columns) {
    IndexDefinition index;
    index.schema = "public";
    index.name = "i";
    index.table = {7, "public", "users"};
    index.definition = "CREATE INDEX i ON public.users USING btree (" + columns + ")";
    return {"CREATE INDEX", {{1, std::nullopt, index}}};
}

}  // namespace

TEST_CASE("a target gets the columns that its route lists, and constants beside them") {
    const auto table = users();
    const auto rules = load("", "users: {columns: {only: [id, email], sid: 7}}")->compile(table);
    Arena arena;
    const Values row{text("1"), text("123"), toast};
    Change change = update(table, row);
    REQUIRE(rules->apply(change, arena));
    CHECK(values(change.new_row) == Values{text("7"), text("1"), toast});
    CHECK(rules->target()->columns.size() == 3);
    CHECK(!rules->passes_copy());
    // A constant may have that name.
    CHECK(load("", "users: {columns: {only: 7}}")->compile(table)->target()->columns.size() == 4);
}

TEST_CASE("a list that does not fit is refused at start, with file and line") {
    CHECK(has(refusal("users:\n  columns:\n    only: [id, emial]"),
              "routing.yaml:3): the table public.users has no column 'emial'"));
    CHECK(has(refusal("users: {columns: {only: [email]}}"), "is part of the key"));
    CHECK(has(refusal("users: {columns: {only: [email]}}"), "HINT: Add it to 'only'"));
    CHECK(refusal("users: {columns: {only: [email]}, operations: [INSERT]}").empty());
    CHECK(has(refusal("users: {columns: {only: []}}"), "'only' lists no column"));
    CHECK(has(refusal("users: {columns: {only: [id, id]}}"), "lists the column twice"));
    CHECK(has(refusal("defaults: {columns: {only: [id]}}"), "not for all tables"));
}

TEST_CASE("in strict mode a list names columns; the file's other rules stay") {
    const std::string strict = "mode: strict\ntables: {users: [{type: keep, column: id}]}";
    CHECK(has(refusal("users: {}", users(), strict), "mode is strict"));
    CHECK(refusal(two, users(), strict).empty());
    const auto rules = load("tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}", two);
    const auto table = users();
    Arena arena;
    const Values row{text("1"), text("123"), text("abc")};
    Change change = insert(table, row);
    REQUIRE(rules->compile(table)->apply(change, arena));
    CHECK(values(change.new_row) == Values{text("1"), text("a*c")});
}

TEST_CASE("a column that is not listed and takes a listed one's name stops the worker") {
    const auto rules = load("", two);
    Relation before = *users();
    for (std::size_t i = 0; i < before.columns.size(); ++i) before.columns[i].number = static_cast<std::int16_t>(i + 1);
    Relation now = before;
    std::swap(now.columns[1].name, now.columns[2].name);
    static_cast<void>(rules->accept(std::make_shared<const Relation>(before), {Lsn{1}, 1}));
    const std::string error = error_of([&] {
        static_cast<void>(rules->accept(std::make_shared<const Relation>(now), {Lsn{2}, 1}));
    });
    CHECK(has(error, "its column 'ssn' is now named 'email'"));
}

TEST_CASE("a list that comes later is noticed as other rules") {
    const auto table = users();
    CHECK(!(load("", "users: {}")->meaning(table) == load("", two)->meaning(table)));
    CHECK(load("", two)->meaning(table) ==
          load("tables: {users: [{type: exclude_column, column: ssn}]}", "users: {}")->meaning(table));
}

TEST_CASE("definitions without the columns that a route does not list") {
    TableDefinition table{"public", "users"};
    for (const char* name : {"id", "ssn", "email"}) {
        auto& made = table.columns.emplace_back();
        made.number = static_cast<std::int16_t>(table.columns.size());
        made.name = name;
        made.type = "text";
        made.type_oid = made.base_oid = 25;
    }
    TableDefinition later = table;
    later.columns.push_back(later.columns[1]);
    later.columns[3].number = 4;
    later.columns[3].name = "added";
    later.constraints = {{8, "s", 'u', "UNIQUE (ssn)", true}, {9, "e", 'u', "UNIQUE (email)", true}};
    const auto made = ruled({"ALTER TABLE", {{1, table, later}}});
    REQUIRE(made);
    const auto& after = std::get<TableDefinition>(*made->objects[0].after);
    CHECK(after.columns.size() == 2);
    REQUIRE(after.constraints.size() == 1);
    CHECK(after.constraints[0].name == "e");
    later.constraints.clear();
    CHECK(!ruled({"ALTER TABLE", {{1, table, later}}}));
}

TEST_CASE("an index on a table whose columns the message does not say") {
    CHECK(ruled(index_with("id, lower(email) DESC NULLS LAST")));
    CHECK(ruled(index_with("((email)::text) COLLATE \"C\"")));
    CHECK(!ruled(index_with("id, ssn")));
    CHECK(!ruled(index_with("lower(\"Ssn\")")));
    CHECK(!ruled(index_with("id) INCLUDE (ssn")));
}
