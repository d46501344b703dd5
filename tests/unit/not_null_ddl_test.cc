// NOT NULL as PostgreSQL 18 has it: a constraint with a name. Versions before take what they can have of it.
#include "sinks/ddl/not_null_ddl.h"

#include <doctest/doctest.h>

#include "sinks/ddl/derive.h"

using namespace pgsluice;

namespace {

TableDefinition table(const std::string& constraint = {}, const std::string& definition = {}, bool validated = true) {
    TableDefinition made{"public", "t"};
    ColumnDefinition column;
    column.number = 1;
    column.name = "a b";
    column.type = "integer";
    column.not_null = !constraint.empty();
    made.columns.push_back(column);
    if (!constraint.empty()) made.constraints.push_back({9, constraint, 'n', definition, validated});
    return made;
}

std::string derived(const std::optional<TableDefinition>& before, const TableDefinition& after) {
    DefinitionChange change;
    change.oid = 1;
    if (before) change.before = *before;
    change.after = after;
    std::string text;
    for (const DerivedStatement& statement : derive({"X", {change}})) {
        const bool later = statement.condition.find(">= 180000") != std::string::npos;
        const bool earlier = statement.condition.find("< 180000") != std::string::npos;
        text += (later                          ? "18: "
                 : earlier                      ? "17: "
                 : !statement.condition.empty() ? "if there: "
                                                : "") +
                statement.text + "\n";
    }
    return text;
}

constexpr const char* usual = "t_a b_not_null";
constexpr const char* plain = R"(NOT NULL "a b")";

}  // namespace

TEST_CASE("a table is made with the names that its source has") {
    CHECK(derived({}, table(usual, plain)) == "CREATE TABLE \"public\".\"t\" (\"a b\" integer NOT NULL)\n");
    CHECK(derived({}, table("u_id", plain)) ==
          "CREATE TABLE \"public\".\"t\" (\"a b\" integer CONSTRAINT \"u_id\" NOT NULL)\n");
    CHECK(derived({}, table("n", R"(NOT NULL "a b" NOT VALID)", false)) ==
          "CREATE TABLE \"public\".\"t\" (\"a b\" integer)\n"
          "18: ALTER TABLE \"public\".\"t\" ADD CONSTRAINT \"n\" NOT NULL \"a b\" NOT VALID\n");
    CHECK(derived({}, table("n", R"(NOT NULL "a b" NO INHERIT)")) ==
          "CREATE TABLE \"public\".\"t\" (\"a b\" integer)\n"
          "18: ALTER TABLE \"public\".\"t\" ADD CONSTRAINT \"n\" NOT NULL \"a b\" NO INHERIT\n"
          "17: ALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN \"a b\" SET NOT NULL\n");
}

TEST_CASE("a constraint comes, changes and goes") {
    const std::string alter = "ALTER TABLE \"public\".\"t\" ";
    const std::string only = "ALTER TABLE ONLY \"public\".\"t\" ";
    CHECK(derived(table(), table(usual, plain)) == alter + "ALTER COLUMN \"a b\" SET NOT NULL\n");
    CHECK(derived(table(), table(usual, R"(NOT NULL "a b" NO INHERIT)")) ==
          "18: " + alter + "ADD CONSTRAINT \"" + usual + "\" NOT NULL \"a b\" NO INHERIT\n17: " + only +
              "ALTER COLUMN \"a b\" SET NOT NULL\n");
    CHECK(derived(table("n", plain), table("m", R"(NOT NULL "a b" NOT VALID)", false)) ==
          "if there: " + alter + "DROP CONSTRAINT \"n\"\n18: " + alter +
              "ADD CONSTRAINT \"m\" NOT NULL \"a b\" NOT VALID\n");
    CHECK(derived(table(), table("n", plain)) == "18: " + alter + "ADD CONSTRAINT \"n\" NOT NULL \"a b\"\n17: " +
                                                     alter + "ALTER COLUMN \"a b\" SET NOT NULL\n");
    CHECK(derived(table("n", plain), table("m", plain)) == "if there: " + alter + "RENAME CONSTRAINT \"n\" TO \"m\"\n");
    CHECK(derived(table("n", R"(NOT NULL "a b" NOT VALID)", false), table("n", plain)) ==
          "if there: " + alter + "VALIDATE CONSTRAINT \"n\"\n17: " + alter + "ALTER COLUMN \"a b\" SET NOT NULL\n");
    CHECK(derived(table("n", plain), table()) == only + "ALTER COLUMN \"a b\" DROP NOT NULL\n");
}

TEST_CASE("a partition has what its parent has, and what is its own") {
    TableDefinition partition = table("n", plain);
    partition.columns[0].inherited = true;
    partition.columns[0].expression = "7";
    partition.parents = {{5, "public", "p"}};
    partition.bound = "DEFAULT";
    CHECK(derived({}, partition) ==
          "CREATE TABLE \"public\".\"t\" PARTITION OF \"public\".\"p\" (\"a b\" CONSTRAINT \"n\" NOT NULL DEFAULT 7) "
          "DEFAULT\n");
    partition.constraints[0].inherited = true;
    CHECK(derived({}, partition) ==
          "CREATE TABLE \"public\".\"t\" PARTITION OF \"public\".\"p\" (\"a b\" DEFAULT 7) DEFAULT\n");
}

TEST_CASE("a partition that was a table before is made as one, so that it keeps the name") {
    TableDefinition partition = table(usual, plain);
    partition.columns[0].inherited = true;
    partition.constraints[0].inherited = true;
    partition.parents = {{5, "public", "p"}};
    partition.bound = "DEFAULT";
    CHECK(derived({}, partition) ==
          "CREATE TABLE \"public\".\"t\" (\"a b\" integer NOT NULL)\n"
          "ALTER TABLE \"public\".\"p\" ATTACH PARTITION \"public\".\"t\" DEFAULT\n");
}
