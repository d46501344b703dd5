#include "replicator/tables/rewritten.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

ColumnDefinition column(std::int16_t number, const char* type, Oid type_oid) {
    ColumnDefinition made;
    made.number = number;
    made.name = "c" + std::to_string(number);
    made.type = type;
    made.type_oid = type_oid;
    return made;
}

ColumnDefinition defaulted(ColumnDefinition made, const char* expression) {
    made.expression = expression;
    return made;
}

DefinitionChange altered(int rewritten, std::vector<ColumnDefinition> before, std::vector<ColumnDefinition> after) {
    TableDefinition table;
    table.schema = "public";
    table.name = "t";
    DefinitionChange change;
    change.oid = 7;
    table.columns = std::move(before);
    change.before = table;
    table.columns = std::move(after);
    change.after = table;
    change.rewritten = rewritten;
    change.conversion = "types";
    return change;
}

const ColumnDefinition id = column(1, "integer", 23);

DefinitionChange retyped(ColumnDefinition before, ColumnDefinition after) {
    return altered(4, {id, std::move(before)}, {id, std::move(after)});
}

}  // namespace

TEST_CASE("a table that was not rewritten is not copied") {
    CHECK_FALSE(must_be_copied(altered(0, {id}, {id, defaulted(column(2, "integer", 23), "7")})));
    CHECK_FALSE(must_be_copied(altered(1, {id}, {id})));  // SET UNLOGGED
    CHECK_FALSE(must_be_copied(altered(8, {id}, {id})));  // SET ACCESS METHOD
    DefinitionChange made = altered(4, {id}, {id});
    made.before.reset();
    CHECK_FALSE(must_be_copied(made));
}

TEST_CASE("a table that was unlogged") {
    DefinitionChange logged = altered(1, {id}, {id});
    std::get<TableDefinition>(*logged.before).persistence = 'u';
    CHECK(must_be_copied(logged));
    std::swap(logged.before, logged.after);
    CHECK_FALSE(must_be_copied(logged));
}

TEST_CASE("an unknown reason is one to copy") { CHECK(must_be_copied(altered(16, {id}, {id}))); }

TEST_CASE("a column that the source has filled") {
    const auto uuid = column(2, "uuid", 2950);
    CHECK(must_be_copied(altered(2, {id}, {id, defaulted(uuid, "gen_random_uuid()")})));
    ColumnDefinition identity = column(2, "bigint", 20);
    identity.identity = 'a';
    CHECK(must_be_copied(altered(2, {id}, {id, identity})));
    ColumnDefinition domain = column(2, "public.d", 20000);
    domain.base_oid = 23;
    CHECK(must_be_copied(altered(2, {id}, {id, domain})));
    // Its constant travels.
    ColumnDefinition constant = defaulted(column(2, "timestamp with time zone", 1184), "now()");
    constant.missing = "2026-01-01 00:00:00+00";
    CHECK_FALSE(must_be_copied(altered(2, {id}, {id, constant})));
    // The rewrite has put the constant into the rows: only they have it now.
    constant.missing.reset();
    CHECK(must_be_copied(altered(2, {id}, {id, constant})));
    ColumnDefinition generated = defaulted(column(2, "integer", 23), "(c1 * 2)");
    generated.generated = 's';
    CHECK_FALSE(must_be_copied(altered(2, {id}, {id, generated})));
    CHECK_FALSE(must_be_copied(altered(2, {id}, {id, column(2, "text", 25)})));
}

TEST_CASE("conversions that are the same everywhere, and those that are not") {
    CHECK_FALSE(must_be_copied(retyped(column(2, "integer", 23), column(2, "bigint", 20))));
    CHECK_FALSE(must_be_copied(retyped(column(2, "bigint", 20), column(2, "text", 25))));
    CHECK_FALSE(must_be_copied(retyped(column(2, "numeric(10,4)", 1700), column(2, "numeric(10,2)", 1700))));
    CHECK_FALSE(
        must_be_copied(retyped(column(2, "character varying(9)", 1043), column(2, "character varying(4)", 1043))));
    CHECK(must_be_copied(
        retyped(column(2, "timestamp without time zone", 1114), column(2, "timestamp with time zone", 1184))));
    CHECK(must_be_copied(retyped(column(2, "bytea", 17), column(2, "text", 25))));
    CHECK(must_be_copied(retyped(column(2, "integer", 23), column(2, "public.mine", 20000))));
}

TEST_CASE("where a USING may have computed values, nothing is certain") {
    DefinitionChange change = retyped(column(2, "integer", 23), column(2, "bigint", 20));
    change.conversion.clear();
    CHECK(must_be_copied(change));
    change = retyped(column(2, "integer", 23), column(2, "integer", 23));
    CHECK_FALSE(must_be_copied(change));
    change.conversion.clear();
    CHECK(must_be_copied(change));
}
