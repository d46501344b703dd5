// Definitions under rules and routing: what a target is to have of them.
#include <doctest/doctest.h>

#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

ColumnDefinition column(int number, const std::string& name, const std::string& type, Oid oid) {
    ColumnDefinition made;
    made.number = static_cast<std::int16_t>(number);
    made.name = name;
    made.type = type;
    made.type_oid = made.base_oid = oid;
    return made;
}

TableDefinition users() {
    TableDefinition table{"public", "users"};
    table.columns = {column(1, "id", "integer", 23), column(2, "email", "text", 25), column(3, "ssn", "text", 25)};
    return table;
}

// What the rules make of it; nothing when they drop it.
std::optional<DefinitionMessage> ruled(const Ruleset& ruleset, const DefinitionMessage& message) {
    const auto content = ruled_ddl(ruleset, encode(message));
    return content ? std::optional(decode_definitions(*content)) : std::nullopt;
}

TableDefinition after_of(const std::optional<DefinitionMessage>& message) {
    REQUIRE(message);
    REQUIRE(message->objects.size() == 1);
    return std::get<TableDefinition>(*message->objects[0].after);
}

DefinitionMessage altered(const TableDefinition& after) { return {"ALTER TABLE", {{1, users(), after}}}; }

constexpr const char* hides =
    "tables: {users: [{type: transform, column: email, parameters: {type: mask}}, "
    "{type: exclude_column, column: ssn}]}";

}  // namespace

TEST_CASE("without files definitions pass as they are") {
    TableDefinition later = users();
    later.columns[1].expression = "'canary'::text";
    CHECK(ruled(*load(""), altered(later)) == altered(later));
}

TEST_CASE("excluded columns and what names them are left out, hidden ones show no default") {
    TableDefinition later = users();
    later.columns[1].expression = later.columns[1].comment = "'canary'";
    later.comment = "canary";
    later.constraints = {{7, "users_pkey", 'p', "PRIMARY KEY (id)", true},
                         {8, "s", 'u', "UNIQUE (ssn)", true},
                         {9, "e", 'c', "CHECK ((email <> 'canary'::text))", true}};
    const TableDefinition table = after_of(ruled(*load(hides), altered(later)));
    REQUIRE(table.columns.size() == 2);
    CHECK(table.columns[1] == users().columns[1]);
    CHECK(table.comment.empty());
    REQUIRE(table.constraints.size() == 1);
    CHECK(table.constraints[0].name == "users_pkey");
    CHECK(encode_objects(*ruled(*load(hides), altered(later))).find("canary") == std::string::npos);
}

TEST_CASE("what rows hold in a new column goes through its transform") {
    TableDefinition before = users();
    before.columns.erase(before.columns.begin() + 1);
    TableDefinition later = users();
    later.columns[1].missing = "canary";
    const auto result = ruled(*load(hides), {"ALTER TABLE", {{1, before, later}}});
    const TableDefinition table = after_of(result);
    REQUIRE(table.columns[1].missing);
    CHECK(*table.columns[1].missing != "canary");
    CHECK(table.columns[1].missing->size() == 6);
}

TEST_CASE("routes rename tables and columns, also where other definitions name them") {
    const auto routes = load("", R"({users: {source_table: users, destination_table: crm.people,
                                             column_mappings: [{source: email, destination: mail}]}})");
    TableDefinition later = users();
    later.constraints = {{8, "u", 'u', "UNIQUE (email)", true}};
    const TableDefinition table = after_of(ruled(*routes, altered(later)));
    CHECK(table.schema == "crm");
    CHECK(table.name == "people");
    CHECK(table.columns[1].name == "mail");
    CHECK(table.constraints[0].definition == "UNIQUE (\"mail\")");
    const IndexDefinition index{
        "public", "i", {1, "public", "users"}, "CREATE INDEX i ON public.users USING btree (email)", true};
    const auto result = ruled(*routes, {"CREATE INDEX", {{2, {}, index}}});
    REQUIRE(result);
    const auto& routed = std::get<IndexDefinition>(*result->objects[0].after);
    CHECK(routed.table == ObjectName{1, "crm", "people"});
    CHECK(routed.schema == "crm");
    CHECK(routed.definition.find("(\"mail\")") != std::string::npos);
}

TEST_CASE("a column that had a rule under another name stops the worker") {
    TableDefinition later = users();
    later.columns[1].name = "mail";
    CHECK(error_of([&] { (void)ruled(*load(hides), altered(later)); }).find("mail") != std::string::npos);
    TableDefinition moved = users();
    moved.name = "people";
    CHECK(error_of([&] { (void)ruled(*load(hides), altered(moved)); }).find("is now called 'public.people'") !=
          std::string::npos);
}

TEST_CASE("an index that shows what is hidden is left out") {
    const auto index = [](const std::string& tail) {
        return DefinitionMessage{
            "CREATE INDEX",
            {{2,
              {},
              IndexDefinition{"public", "i", {1, "public", "users"}, "CREATE INDEX i ON public.users " + tail, true}}}};
    };
    CHECK_FALSE(ruled(*load(hides), index("USING btree (ssn)")));
    CHECK_FALSE(ruled(*load(hides), index("USING btree (id) WHERE (email <> 'canary'::text)")));
    CHECK(ruled(*load(hides), index("USING btree (email)")));
}
