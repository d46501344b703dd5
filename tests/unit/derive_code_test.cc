// Views, functions, triggers, policies and rights: commands from their definitions before and after.
#include <doctest/doctest.h>

#include "sinks/ddl/derive.h"
#include "stream/definition/definition_message.h"

using namespace pgsluice;

namespace {

using Texts = std::vector<std::string>;

const ObjectName t{1, "public", "t"};

Texts texts(const std::vector<DefinitionChange>& objects) {
    Texts all;
    for (const DerivedStatement& statement : derive({"", objects})) all.push_back(statement.text);
    return all;
}
Texts texts(std::optional<Definition> before, std::optional<Definition> after) {
    return texts({{9, std::move(before), std::move(after)}});
}

ViewDefinition view() {
    ViewDefinition made{"public", "v"};
    made.definition = " SELECT t.id FROM public.t";
    made.columns = {"id"};
    made.reads = {{t, {}, {"id"}}};
    return made;
}

}  // namespace

TEST_CASE("a view is made with the rights of its table's owner, then altered by parts") {
    const auto made = derive({"", {{9, {}, view()}}});
    REQUIRE(made.size() == 1);
    CHECK(made[0].text == "CREATE VIEW \"public\".\"v\" (\"id\") AS  SELECT t.id FROM public.t");
    CHECK(made[0].table == QualifiedName{"public", "t"});
    ViewDefinition after = view();
    after.name = "w";
    after.columns = {"n"};
    after.options = {"security_barrier=true"};
    after.definition = " SELECT t.id AS n FROM public.t";
    CHECK(texts(view(), after) ==
          Texts{"ALTER VIEW \"public\".\"v\" RENAME TO \"w\"",
                "ALTER VIEW \"public\".\"w\" RENAME COLUMN \"id\" TO \"n\"",
                "ALTER VIEW \"public\".\"w\" SET (security_barrier = 'true')",
                "CREATE OR REPLACE VIEW \"public\".\"w\" (\"n\") WITH (security_barrier = 'true') AS  SELECT t.id AS n "
                "FROM public.t"});
}

TEST_CASE("views that are dropped together may depend on each other, and go before their table") {
    ViewDefinition other = view();
    other.name = "w";
    CHECK(texts({{1, TableDefinition{"public", "t"}, {}}, {9, view(), {}}, {10, other, {}}}) ==
          Texts{"DROP VIEW IF EXISTS \"public\".\"v\", \"public\".\"w\"", "DROP TABLE \"public\".\"t\""});
}

TEST_CASE("a function that runs with its owner's rights keeps the owner it was made with") {
    FunctionDefinition function{"public", "f", "integer", "alice", 'f', "sql"};
    function.definition = "CREATE OR REPLACE FUNCTION ...";
    CHECK(texts({}, function) ==
          Texts{"CREATE OR REPLACE FUNCTION ...", "ALTER FUNCTION \"public\".\"f\"(integer) OWNER TO \"alice\""});
    function.definer = true;
    CHECK(texts({}, function) == Texts{"CREATE OR REPLACE FUNCTION ..."});
    CHECK(texts(function, {}) == Texts{"DROP FUNCTION IF EXISTS \"public\".\"f\"(integer)"});
}

TEST_CASE("a trigger that was only renamed is not made again") {
    TriggerDefinition trigger{"a", t, false, "BEFORE INSERT", "FOR EACH ROW EXECUTE FUNCTION public.f()"};
    CHECK(texts({}, trigger) ==
          Texts{"CREATE TRIGGER \"a\" BEFORE INSERT ON \"public\".\"t\" FOR EACH ROW EXECUTE FUNCTION public.f()"});
    TriggerDefinition after = trigger;
    after.name = "b";
    after.enabled = 'A';
    CHECK(texts(trigger, after) == Texts{"ALTER TRIGGER \"a\" ON \"public\".\"t\" RENAME TO \"b\"",
                                         "ALTER TABLE \"public\".\"t\" ENABLE ALWAYS TRIGGER \"b\""});
}

TEST_CASE("a policy and its change") {
    PolicyDefinition policy{"p", t, true, "SELECT", {"PUBLIC"}, "(id > 0)"};
    CHECK(texts({}, policy) ==
          Texts{"CREATE POLICY \"p\" ON \"public\".\"t\" AS RESTRICTIVE FOR SELECT TO PUBLIC USING ((id > 0))"});
    PolicyDefinition after = policy;
    after.roles = {"bob"};
    CHECK(texts(policy, after) == Texts{"ALTER POLICY \"p\" ON \"public\".\"t\" TO bob USING ((id > 0))"});
}

TEST_CASE("rights that came and went") {
    const GrantsDefinition before{t, {{"bob", "SELECT"}, {"", "INSERT"}}};
    const GrantsDefinition after{t, {{"bob", "SELECT"}, {"eve", "UPDATE", "id", true}}};
    CHECK(texts(before, after) ==
          Texts{"REVOKE INSERT ON TABLE \"public\".\"t\" FROM PUBLIC",
                "GRANT UPDATE (\"id\") ON TABLE \"public\".\"t\" TO \"eve\" WITH GRANT OPTION"});
}
