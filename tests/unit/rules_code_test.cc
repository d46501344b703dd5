// Views, functions, triggers and policies under rules and routing: their text is passed as it is, or a target waits.
#include <doctest/doctest.h>

#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const ObjectName users{1, "public", "users"};

DefinitionMessage made(Definition definition) { return {"CREATE", {{9, {}, std::move(definition)}}}; }

ViewDefinition view(std::vector<std::string> columns) {
    ViewDefinition made{"public", "v"};
    made.definition = " SELECT users.id FROM public.users WHERE 'canary' <> ''";
    made.reads = {{users, {}, std::move(columns)}};
    return made;
}

FunctionDefinition function(const std::string& body) {
    FunctionDefinition made{"public", "f"};
    made.definition = "CREATE OR REPLACE FUNCTION public.f() AS $$ " + body + " $$";
    made.comment = "canary";
    return made;
}

TriggerDefinition trigger(const std::string& condition) {
    TriggerDefinition made{"g", users};
    made.event = "BEFORE UPDATE";
    made.rest = "FOR EACH ROW WHEN " + condition + " EXECUTE FUNCTION public.f()";
    return made;
}

struct Ruled {
    std::string text;
    std::string obstacle;
    std::optional<DefinitionMessage> message;
};

Ruled ruled(const std::string& rules, const std::string& routes, const DefinitionMessage& message) {
    const auto content = ruled_ddl(*load(rules, routes), encode(message));
    if (!content) return {};
    return {*content, decode_definitions(*content).objects.at(0).obstacle, decode_definitions(*content)};
}

constexpr const char* hides = "tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}";

bool shows(const Ruled& result) { return result.text.find("canary") != std::string::npos; }

}  // namespace

TEST_CASE("without files they pass as they are") {
    for (const Definition& one :
         {Definition(view({"id"})), Definition(function("canary")), Definition(trigger("true"))})
        CHECK(ruled("", "", made(one)).message == made(one));
}

TEST_CASE("a view that reads hidden columns, or might, is passed without its text") {
    CHECK(ruled(hides, "", made(view({"id"}))).obstacle.empty());
    CHECK(shows(ruled(hides, "", made(view({"id"})))));
    for (const std::vector<std::string>& columns : {std::vector<std::string>{"id", "email"}, {}}) {
        const Ruled result = ruled(hides, "", made(view(columns)));
        CHECK(result.obstacle == "it reads columns of table 'public.users' that have rules");
        CHECK_FALSE(shows(result));
    }
    ViewDefinition row = view({"id"});
    row.definition = " SELECT users.* FROM public.users";
    CHECK_FALSE(ruled(hides, "", made(row)).obstacle.empty());
    CHECK_FALSE(shows(ruled("mode: strict\ntables: {users: [{type: keep, column: id}]}", "", made(view({"email"})))));
}

TEST_CASE("a change of hidden text alone is not lost") {
    ViewDefinition before = view({"email"});
    before.definition = "canary 1";
    const DefinitionMessage message{"CREATE VIEW", {{9, before, view({"email"})}}};
    CHECK_FALSE(ruled(hides, "", message).obstacle.empty());
    CHECK_FALSE(shows(ruled(hides, "", message)));
}

TEST_CASE("a view of a table that is routed elsewhere or not replicated cannot be taken over") {
    CHECK(ruled("", "users: {destination_table: people}", made(view({"id"}))).obstacle ==
          "it names table 'public.users', which is routed elsewhere");
    CHECK(ruled("", "users: {replicate: false}", made(view({"id"}))).obstacle ==
          "it reads table 'public.users', which is not replicated");
    CHECK(ruled("", "other: {destination_table: people}", made(view({"id"}))).obstacle.empty());
}

TEST_CASE("a function is looked through for the words that are hidden or routed") {
    CHECK(ruled(hides, "", made(function("SELECT 'canary' FROM orders"))).obstacle.empty());
    for (const std::string body : {"SELECT 'canary' FROM Users", "NEW.email = 'canary'"}) {
        const Ruled result = ruled(hides, "", made(function(body)));
        CHECK(result.obstacle == "it names a table or column that has rules");
        CHECK_FALSE(shows(result));
    }
    CHECK(ruled("", "users: {destination_table: people}", made(function("SELECT FROM users"))).obstacle ==
          "it names a table that is routed elsewhere");
}

TEST_CASE("a trigger has the names of its table's route, and no condition on hidden columns") {
    const Ruled routed =
        ruled("", "users: {destination_table: people, column_mappings: [{source: id, destination: nr}]}",
              made(trigger("(new.id > 3)")));
    REQUIRE(routed.message);
    const auto& moved = std::get<TriggerDefinition>(*routed.message->objects.at(0).after);
    CHECK(moved.table.name == "people");
    CHECK(moved.rest == "FOR EACH ROW WHEN (new.\"nr\" > 3) EXECUTE FUNCTION public.f()");
    const Ruled hidden = ruled(hides, "", made(trigger("(new.email = 'canary')")));
    CHECK(hidden.obstacle == "it names columns that have rules");
    CHECK_FALSE(shows(hidden));
    CHECK_FALSE(ruled("", "users: {replicate: false}", made(trigger("true"))).message);
}

TEST_CASE("a policy that names hidden columns is passed without its text") {
    PolicyDefinition policy{"p", users};
    policy.command = "ALL";
    policy.roles = {"PUBLIC"};
    policy.expression = "(email = 'canary'::text)";
    const Ruled result = ruled(hides, "", made(policy));
    CHECK(result.obstacle == "it names columns that have rules");
    CHECK_FALSE(shows(result));
}
