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
    TableDefinition commented = users();
    commented.comment = "canary";
    CHECK_FALSE(ruled(*load(hides), altered(commented)));
    CHECK(ruled(*load(hides), altered(users())));  // as needed by others
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

TEST_CASE("what rows hold in a new column waits where each row would get another value") {
    TableDefinition before = users();
    before.columns.erase(before.columns.begin() + 1);
    TableDefinition later = users();
    later.columns[1].missing = "canary";
    for (const char* parameters : {"{type: uuid, random: true}", "{type: uuid, secret_env: HOME, by: id}"}) {
        const auto rules =
            load(std::string("tables: {users: [{type: transform, column: email, parameters: ") + parameters + "}]}");
        const auto result = ruled(*rules, {"ALTER TABLE", {{1, before, later}}});
        CHECK(result->objects[0].obstacle.find("each row gets a value of its own") != std::string::npos);
        CHECK(encode_objects(*result).find("canary") == std::string::npos);
    }
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

TEST_CASE("what only an index on a partition names is hidden by the rules of the table above it") {
    IndexDefinition index{"public",
                          "i",
                          {9, "public", "users_1"},
                          "CREATE INDEX i ON public.users_1 USING btree (id) WHERE (email <> 'canary'::text)",
                          true};
    CHECK(ruled(*load(hides), {"CREATE INDEX", {{2, {}, index}}}));  // no table of the rules
    index.ancestors = {{1, "public", "users"}};
    CHECK_FALSE(ruled(*load(hides), {"CREATE INDEX", {{2, {}, index}}}));
    const StatisticsDefinition statistics{"public",
                                          "s",
                                          {9, "public", "users_1"},
                                          "CREATE STATISTICS s ON (email || 'canary'::text), id FROM public.users_1",
                                          "",
                                          {{1, "public", "users"}}};
    CHECK_FALSE(ruled(*load(hides), {"CREATE STATISTICS", {{3, {}, statistics}}}));
}

TEST_CASE("a check of whole rows, what is computed from a hidden column, and bounds by one show no literal") {
    TableDefinition later = users();
    later.constraints = {{9, "e", 'c', "CHECK ((users.* IS DISTINCT FROM ROW(1, 'canary')))", true}};
    CHECK_FALSE(ruled(*load(hides), altered(later)));  // nothing is left of the command

    later = users();
    later.columns.push_back(column(4, "full", "text", 25));
    later.columns[3].generated = 's';
    later.columns[3].expression = "(email || 'canary'::text)";
    const auto generated = ruled(*load(hides), altered(later));
    REQUIRE(generated);
    CHECK(generated->objects[0].obstacle.find("computed from one that has a rule") != std::string::npos);
    CHECK(encode_objects(*generated).find("canary") == std::string::npos);
    // It is there, and the command is about something else.
    TableDefinition latest = later;
    latest.columns.push_back(column(5, "age", "integer", 23));
    CHECK(ruled(*load(hides), {"ALTER TABLE", {{1, later, latest}}})->objects[0].obstacle.empty());

    TableDefinition partition = users();
    partition.name = "users_1";
    partition.bound = "FOR VALUES IN ('canary')";
    partition.bound_by = "LIST (email)";
    partition.ancestors = {{1, "public", "users"}};
    const auto made = ruled(*load(hides), {"CREATE TABLE", {{7, {}, partition}}});
    REQUIRE(made);
    CHECK(made->objects[0].obstacle.find("partition by values of a column that has a rule") != std::string::npos);
    CHECK(encode_objects(*made).find("canary") == std::string::npos);
    partition.bound_by = "RANGE (id)";
    CHECK(ruled(*load(hides), {"CREATE TABLE", {{7, {}, partition}}})->objects[0].obstacle.empty());
}

TEST_CASE("only literals change in what a column is computed from one with a rule") {
    TableDefinition before = users();
    before.columns.push_back(column(4, "full", "text", 25));
    before.columns[3].generated = 'v';
    before.columns[3].expression = "(email || 'one'::text)";
    TableDefinition later = before;
    later.columns[3].expression = "(email || 'two'::text)";
    const auto result = ruled(*load(hides), {"ALTER TABLE", {{1, before, later}}});
    REQUIRE(result);
    CHECK(result->objects[0].obstacle.find("computed from one that has a rule") != std::string::npos);
    CHECK(result->objects[0].before != result->objects[0].after);
}

TEST_CASE("what was computed from a hidden column, and is none of the computed now, needs a rule of its own") {
    TableDefinition before = users();
    before.columns.push_back(column(4, "lower", "text", 25));
    before.columns[3].generated = 's';
    before.columns[3].expression = "lower(email)";
    TableDefinition later = before;
    later.columns[3].generated = '\0';
    later.columns[3].expression.clear();
    const DefinitionMessage dropped{"ALTER TABLE", {{1, before, later}}};
    CHECK(error_of([&] { (void)ruled(*load(hides), dropped); }).find("its column 'lower' was computed from one") !=
          std::string::npos);
    // As the error's hint says.
    for (const std::string rule : {"{type: keep, column: lower}", "{type: exclude_column, column: lower}",
                                   "{type: transform, column: lower, parameters: {type: mask}}"}) {
        CAPTURE(rule);
        const auto ruleset =
            load("tables: {users: [{type: transform, column: email, parameters: {type: mask}}, " + rule + "]}");
        CHECK_NOTHROW((void)ruled(*ruleset, dropped));
    }
    before.columns[3].expression = "(id)::text";
    CHECK(after_of(ruled(*load(hides), {"ALTER TABLE", {{1, before, later}}})).columns.size() == 3);
}

TEST_CASE("in strict mode a column that no rule names shows nothing") {
    const auto strict =
        load("{mode: strict, tables: {users: [{type: keep, column: id}, {type: keep, column: email}]}}");
    TableDefinition before = users();
    before.columns.pop_back();
    TableDefinition later = users();
    later.columns[2].expression = later.columns[2].comment = "'canary'";
    later.columns[2].missing = "canary";
    const auto result = ruled(*strict, {"ALTER TABLE", {{1, before, later}}});
    REQUIRE(result);
    CHECK(result->objects[0].obstacle.find("no rule names the column 'ssn'") != std::string::npos);
    CHECK(encode_objects(*result).find("canary") == std::string::npos);
    CHECK_FALSE(ruled(*strict, altered(later)));
}

TEST_CASE("a type is shown where a column that is shown uses it") {
    const TypeDefinition mood{"public", "mood", "", 'e', {{20, "canary"}}};
    const auto made = [&](const std::vector<std::string>& columns, const TypeDefinition& type) {
        DefinitionChange change{3, {}, type};
        change.used_by.emplace();
        if (!columns.empty()) change.used_by->push_back({{1, "public", "users"}, {}, columns});
        return ruled(*load(hides), {"CREATE TYPE", {change}});
    };
    const auto shows = [](const std::optional<DefinitionMessage>& message) {
        REQUIRE(message);
        return encode_objects(*message).find("canary") != std::string::npos;
    };
    CHECK(shows(made({"id", "email"}, mood)));
    CHECK_FALSE(made({}, mood));
    CHECK_FALSE(made({"ssn"}, mood));
    CHECK_FALSE(shows(made({"email"}, mood)));
    CHECK(made({"email", "ssn"}, mood)->objects[0].obstacle.find("its labels are values of them") != std::string::npos);

    TypeDefinition domain{"public", "d", "", 'd'};
    domain.base = "text";
    domain.expression = domain.comment = "'canary'";
    domain.constraints = {{30, "c", "CHECK ((VALUE <> 'canary'::text))", true}};
    CHECK_FALSE(shows(made({"email"}, domain)));
    CHECK(made({"email"}, domain)->objects[0].obstacle.empty());
    // Dropped: its name is enough.
    CHECK_FALSE(shows(ruled(*load(hides), {"DROP TYPE", {{3, mood, {}}}})));
    CHECK(ruled(*load(""), {"DROP TYPE", {{3, mood, {}}}}));
}

TEST_CASE("a foreign key stays where both sides have the same rules, and not where they may differ") {
    TableDefinition orders{"public", "orders"};
    orders.columns = {column(1, "id", "integer", 23), column(2, "buyer", "text", 25)};
    orders.constraints = {{7, "k", 'f', "FOREIGN KEY (buyer) REFERENCES public.users(email)", true}};
    const DefinitionMessage made{"CREATE TABLE", {{9, std::nullopt, orders}}};
    const auto keys = [&](const std::string& of_email, const std::string& of_buyer) {
        const auto ruleset =
            load("secret_env: HOME\ntables:\n  users: [" + of_email + "]\n  orders: [" + of_buyer + "]\n");
        return after_of(ruled(*ruleset, made)).constraints.size();
    };
    const std::string hash = "{type: transform, column: email, parameters: {type: hash}}";
    const std::string redact =
        "{type: transform, column: email, parameters: {type: redact, allow_uniqueness_loss: true}}";
    CHECK(keys("", "") == 1);
    CHECK(keys(hash, "") == 1);
    CHECK(keys(hash, "{type: transform, column: buyer, parameters: {type: hash}}") == 1);
    CHECK(keys(hash, "{type: transform, column: buyer, parameters: {type: 'null'}}") == 1);
    CHECK(keys(hash, "{type: keep, column: buyer, allow_key_mismatch: true}") == 0);
    CHECK(keys(hash, "{type: exclude_column, column: buyer}") == 0);
    CHECK(keys(redact, "") == 0);
    CHECK(keys("{type: exclude_column, column: email}", "{type: transform, column: buyer, parameters: {type: hash}}") ==
          0);
}

TEST_CASE("a new type that may change rows which are not the source's, or are to stay, waits") {
    const auto obstacle = [](const char* route, const ColumnDefinition& now) {
        TableDefinition later = users();
        later.columns[1] = now;
        const auto result = ruled(*load("", std::string("users: {to: w.users, ") + route + "}"),
                                  {"ALTER TABLE", {{1, users(), later}}});
        REQUIRE(result);
        return result->objects[0].obstacle;
    };
    ColumnDefinition shorter = column(2, "email", "character varying(3)", 1043);
    shorter.typmod = 7;
    const ColumnDefinition wider = column(2, "email", "character varying", 1043);
    CHECK(obstacle("columns: {sid: 7}", shorter) ==
          "the new type of column 'email' may cut, round or change values, and rows of other sources may be in the "
          "table, too");
    for (const char* kept : {"mode: append", "mode: history", "columns: {sid: 7}, mode: history"})
        CHECK(obstacle(kept, shorter) ==
              "the new type of column 'email' may cut, round or change values, and its rows are to stay");
    for (const char* kept : {"columns: {sid: 7}", "mode: append", "mode: history"})
        CHECK(obstacle(kept, wider).empty());
    CHECK(obstacle("mode: clone", shorter).empty());
}

namespace {

constexpr int column_rewrite = 4;

std::string obstacle_of(const std::string& rules, const std::string& routing, const TableDefinition& before,
                        const TableDefinition& after, int rewritten = 0) {
    DefinitionChange change{1, before, after};
    change.rewritten = rewritten;
    const auto result = ruled(*load(rules, routing), {"ALTER TABLE", {change}});
    return result ? result->objects[0].obstacle : "dropped";
}

const std::string filter = "tables: {users: [{type: filter, column: n, parameters: {operator: eq, value: 1.23}}]}";
const std::string keyed =
    "tables: {users: [{type: transform, column: n, parameters: {type: noise, secret_env: HOME, percent: 10}}]}";
const std::string by_column =
    "tables: {users: [{type: transform, column: email, parameters: {type: uuid, secret_env: HOME, by: n}}]}";
const std::string constant = "tables: {users: [{type: transform, column: n, parameters: {type: \"null\"}}]}";
const std::string where = "users: {where: \"n < 10\"}";
const std::string unlisted = "users: {where: \"n < 10\", columns: {only: [id, email]}}";

TableDefinition numbered(int number, const ColumnDefinition& like) {
    TableDefinition table = users();
    table.columns.push_back(like);
    table.columns.back().number = static_cast<std::int16_t>(number);
    return table;
}

}  // namespace

TEST_CASE("a column in use that is dropped and added again waits, unless its rows are copied again") {
    const ColumnDefinition n = column(4, "n", "numeric", 1700);
    const TableDefinition before = numbered(4, n);
    const TableDefinition after = numbered(5, n);
    CHECK(obstacle_of(filter, "", before, after) == "another column is named 'n' now, and a filter reads its values");
    const std::string by_where = "another column is named 'n' now, and the route's 'where' reads it";
    CHECK(obstacle_of("", where, before, after) == by_where);
    CHECK(obstacle_of("", "users: {set: {m: n * 2}}", before, after) ==
          "another column is named 'n' now, and 'm' is computed from it");
    CHECK(obstacle_of(by_column, "", before, after) ==
          "another column is named 'n' now, and a transform makes the values of 'email' from it");
    // What it holds goes through its own transform.
    CHECK(obstacle_of(keyed, "", before, after).empty());
    CHECK(obstacle_of("", "", before, after).empty());
    CHECK(obstacle_of("", where, users(), before).empty());

    // Also where the target has no such column, and so nothing shows there.
    DefinitionMessage message{"ALTER TABLE", {{1, before, after}}};
    const auto unseen = ruled(*load("", unlisted), message);
    REQUIRE(unseen);
    CHECK(unseen->objects[0].obstacle == by_where);
    CHECK(unseen->objects[0].unseen);
    CHECK(unseen->objects[0].before == unseen->objects[0].after);
    message.objects[0].recopy = true;
    CHECK(ruled(*load("", where), message)->objects[0].obstacle.empty());
}

TEST_CASE("a column in use whose new type may change its values waits") {
    const auto typed = [](const std::string& rules, const std::string& routing, std::int32_t typmod) {
        ColumnDefinition n = column(4, "n", "numeric", 1700);
        const TableDefinition before = numbered(4, n);
        n.type = "numeric(10,2)";
        n.typmod = typmod;
        const TableDefinition rounded = numbered(4, n);
        CHECK(obstacle_of(rules, routing, rounded, before, column_rewrite).empty());  // a wider one
        return obstacle_of(rules, routing, before, rounded, column_rewrite);
    };
    constexpr std::int32_t two_digits = (10 << 16 | 2) + 4;
    CHECK(typed(filter, "", two_digits) == "the type of column 'n' changes, and a filter reads its values");
    CHECK(typed("", where, two_digits) == "the type of column 'n' changes, and the route's 'where' reads it");
    CHECK(typed("", unlisted, two_digits) == "the type of column 'n' changes, and the route's 'where' reads it");
    CHECK(typed(keyed, "", two_digits) == "the type of column 'n' changes, and a transform reads its values");
    CHECK(typed(by_column, "", two_digits) ==
          "the type of column 'n' changes, and a transform makes the values of 'email' from it");
    CHECK(typed(constant, "", two_digits).empty());
    // A division of integers gives an integer.
    const TableDefinition whole = numbered(4, column(4, "n", "integer", 23));
    const TableDefinition larger = numbered(4, column(4, "n", "bigint", 20));
    const TableDefinition fraction = numbered(4, column(4, "n", "numeric", 1700));
    CHECK(obstacle_of("", where, whole, larger, column_rewrite).empty());
    CHECK(!obstacle_of("", where, whole, fraction, column_rewrite).empty());
}

TEST_CASE("a partitioned table waits for its partitions, of which alone the rows are written") {
    const TableDefinition narrow = numbered(4, column(4, "n", "integer", 23));
    const TableDefinition wide = numbered(4, column(4, "n", "bigint", 20));
    DefinitionChange parent{1, narrow, wide};
    DefinitionChange leaf = parent;
    leaf.oid = 2;
    leaf.rewritten = column_rewrite;
    for (auto* side : {&leaf.before, &leaf.after}) {
        auto& table = std::get<TableDefinition>(**side);
        table.name = "users_1";
        table.parents = table.ancestors = {{1, "public", "users"}};
        for (ColumnDefinition& one : table.columns) one.inherited = true;
    }
    const auto result = ruled(*load("", "users: {set: {m: n * 2}}"), {"ALTER TABLE", {leaf, parent}});
    REQUIRE(result->objects.size() == 2);
    CHECK(result->objects[1].obstacle == "the type of column 'n' changes, and 'm' is computed from it");
}
