// Definitions of the source's objects in a DDL message: read as they were written, absent fields are defaults.
#include "stream/definition/definition_message.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

namespace {

TableDefinition full_table() {
    TableDefinition table{"public", "t", 'p', 'u', "alice"};
    table.columns.push_back({1, "id", "bigint", 20, 20, 0, -1, true, {}, "nextval('public.s'::regclass)"});
    table.columns.push_back({3, "a \"b\"", "numeric(6,0)[]", 1231, 1231, 1700, 0, false, "pg_catalog.\"C\"", {}, 'a'});
    table.columns.push_back(
        {4, "g", "text", 0, 0, 0, -1, false, {}, "upper('x'::text)", '\0', "", 's', "", 'e', 'p', "what", true});
    table.constraints.push_back({7, "t_pkey", 'p', "PRIMARY KEY (id)", true, true, "the key", true, true, false});
    table.constraints.push_back({8, "t_check", 'c', "CHECK ((id > 0))", false});
    table.replica_identity = ReplicaIdentity::index;
    table.identity_index = "t_i";
    table.partition_by = "RANGE (id)";
    table.bound = "FOR VALUES FROM (1) TO (9)";
    table.parents = {{9, "public", "p"}};
    table.ancestors = {{9, "public", "p"}, {10, "public", "pp"}};
    table.options = {"fillfactor=70", "autovacuum_enabled=false"};
    table.row_security = true;
    table.force_row_security = true;
    table.comment = "a table";
    return table;
}

TypeDefinition full_type() {
    TypeDefinition type{"public", "mood", "bob", 'e'};
    type.labels = {{1, "sad"}, {2, "it's"}};
    type.attributes = {{1, "x", "integer", {}}, {2, "y", "text", "pg_catalog.\"C\""}};
    type.base = "integer";
    type.collation = "pg_catalog.\"C\"";
    type.not_null = true;
    type.expression = "3";
    type.constraints = {{5, "positive", "CHECK ((VALUE > 0))", false}};
    type.subtype = "double precision";
    type.opclass = "o";
    type.canonical = "f";
    type.subtype_diff = "float8mi";
    type.multirange = "m";
    type.comment = "c";
    return type;
}

DefinitionMessage full_message() {
    const ObjectName table{1, "public", "t"};
    DefinitionMessage message{"ALTER TABLE", {}};
    message.objects.push_back({1, TableDefinition{"public", "t"}, full_table(), 3, true, true, true, "no"});
    message.objects.push_back(
        {2,
         {},
         IndexDefinition{"public", "i", table, "CREATE INDEX i ON public.t USING btree (id)", false, table, "c"}});
    message.objects.push_back({3,
                               SequenceDefinition{"public", "s", "bob", "bigint", "1", "-1", "1", "9", "1", true,
                                                  SequenceOwner{1, "public", "t", "id"}, "c"},
                               {}});
    message.objects.push_back({4, {}, full_type()});
    message.objects.push_back({5, {}, SchemaDefinition{"shop", "bob", "c"}});
    message.objects.push_back({6, {}, StatisticsDefinition{"public", "st", table, "CREATE STATISTICS ...", "c"}});
    message.objects.push_back({7, {}, ExtensionDefinition{"citext", "public", "1.6"}});
    message.objects.push_back(
        {8, {}, ViewDefinition{"public", "v", "bob", "SELECT 1", {"a"}, {"x=y"}, {{table, {}, {"id"}}}, "c"}});
    message.objects.push_back(
        {9, {}, FunctionDefinition{"public", "f", "integer", "bob", 'p', "sql", true, "CREATE ...", "c"}});
    message.objects.push_back({10, {}, TriggerDefinition{"g", table, true, "BEFORE", "FOR EACH", 'A', "c", {table}}});
    message.objects.push_back(
        {11, {}, PolicyDefinition{"p", table, true, "ALL", {"PUBLIC"}, "(true)", "(false)", "c", {table}}});
    message.objects.push_back(
        {12, {}, GrantsDefinition{table, {{"bob", "SELECT", "id", true}, {"", "INSERT"}}, {table}}});
    return message;
}

}  // namespace

TEST_CASE("definitions read back as they were written") {
    const DefinitionMessage message = full_message();
    const DefinitionMessage read = decode_definitions(encode(message));
    REQUIRE(read.objects.size() == message.objects.size());
    for (std::size_t i = 0; i < read.objects.size(); ++i) {
        CAPTURE(i);
        CHECK(read.objects[i] == message.objects[i]);
    }
    CHECK(read == message);
    CHECK(class_of(message.objects[2]) == "sequence");
    CHECK(holds_definitions(encode(message)));
}

TEST_CASE("what a definition does not say has its default") {
    const auto message = decode_definitions(
        R"({"version": 2, "tag": "CREATE TABLE", "objects": [{"class": "table", "oid": 16385, "before": null, "after":
            {"kind": "r", "name": "t", "schema": "public", "persistence": "p", "replica_identity": "d", "comment": null,
             "columns": [{"num": 1, "name": "id", "type": "integer", "missing": ""}]}}]})");
    TableDefinition table{"public", "t"};
    table.columns.push_back({1, "id", "integer"});
    table.columns[0].missing = "";
    CHECK(message == DefinitionMessage{"CREATE TABLE", {{16385, {}, table}}});
    CHECK(encode_objects(message) ==
          R"([{"class":"table","oid":16385,"before":null,"after":{"schema":"public","name":"t","kind":"r",)"
          R"("persistence":"p","columns":[{"num":1,"name":"id","type":"integer","missing":""}],)"
          R"("replica_identity":"d"}}])");
}

TEST_CASE("a malformed definition is refused by the name of its field") {
    const auto error_of = [](const std::string& object) -> std::string {
        try {
            (void)decode_definitions(R"({"version":2,"tag":"T","objects":[)" + object + "]}");
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
            return error.what();
        }
        return "";
    };
    const std::string start = R"({"class":"table","oid":1,"after":{"schema":"s","name":"n","persistence":"p",)";
    CHECK(error_of("1").find("not an object") != std::string::npos);
    CHECK(error_of(R"({"class":"table","oid":1})").find("'after' is missing") != std::string::npos);
    CHECK(error_of(R"({"class":"table","oid":1,"after":[]})").find("'table' is not an object") != std::string::npos);
    CHECK(error_of(R"({"class":"cast","oid":1,"after":{}})").find("class 'cast'") != std::string::npos);
    CHECK(error_of(start + R"("columns":[]}})").find("'kind' is missing") != std::string::npos);
    CHECK(error_of(start + R"("kind":"rp","columns":[]}})").find("'kind' is not one character") != std::string::npos);
    CHECK(error_of(start + R"("kind":"r","columns":[1],"replica_identity":"d"}})").find("not an object") !=
          std::string::npos);
    CHECK(error_of(start + R"("kind":"r","columns":[],"replica_identity":"x"}})").find("'replica_identity'") !=
          std::string::npos);
    CHECK(error_of(start + R"("kind":"r","columns":[{"num":70000,"name":"a","type":"b"}]}})").find("'num'") !=
          std::string::npos);
    CHECK(error_of(start + R"("kind":"r","columns":[],"replica_identity":"d","options":[1]}})").find("'options'") !=
          std::string::npos);
    CHECK_THROWS_AS((void)decode_definitions("{}"), Error);
    CHECK_THROWS_AS((void)decode_definitions(R"({"version":3,"tag":"","objects":[]})"), Error);
}

TEST_CASE("a message of an older build holds no definitions") {
    CHECK_FALSE(holds_definitions(R"({"event":"sql_drop","tag":"DROP TABLE","command":"","objects":[]})"));
    CHECK_FALSE(holds_definitions("no JSON"));
}
