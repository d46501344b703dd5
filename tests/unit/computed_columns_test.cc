// Routes with computed columns: set.
#include <doctest/doctest.h>

#include "rules/computed_types.h"
#include "stream/definition/definition_message.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

constexpr const char* full_name = "users: {set: {full_name: \"first || ' ' || last\"}}";

RelationPtr users(ReplicaIdentity identity = ReplicaIdentity::default_key) {
    return relation("users",
                    {column("id", integer_type, true), column("first", text_type), column("last", varchar_type)},
                    identity);
}

std::string refusal(const std::string& routing, const std::string& rules = {}, const RelationPtr& table = users()) {
    return error_of([&] { static_cast<void>(load(rules, routing)->compile(table)); });
}

// What becomes of it; nothing where it is dropped.
std::optional<Change> applied(const RelationPtr& table, Change change, const char* routing = full_name) {
    static Arena arena;
    const auto rules = load("", routing)->compile(table);
    if (!rules->apply(change, arena)) return std::nullopt;
    return change;
}

Values new_row(const RelationPtr& table, const Change& change, const char* routing = full_name) {
    return values(applied(table, change, routing)->new_row);
}

const Values ann{text("1"), text("Ann"), text("Lee")};
const Values bob{text("1"), text("Bob"), text("Lee")};

}  // namespace

TEST_CASE("a computed column comes after the source's, with the expression's type") {
    const auto table = users();
    const auto rules = load("", "users: {columns: {sid: 7}, set: {full_name: \"first || ' ' || last\", next: id + 1}}")
                           ->compile(table);
    Arena arena;
    Change change = insert(table, ann);
    REQUIRE(rules->apply(change, arena));
    CHECK(values(change.new_row) == Values{text("7"), text("1"), text("Ann"), text("Lee"), text("Ann Lee"), text("2")});
    const auto& columns = rules->target()->columns;
    REQUIRE(columns.size() == 6);
    CHECK(columns[4].name == "full_name");
    CHECK(columns[4].type_name == "text");
    CHECK(columns[4].base_oid == 25);
    CHECK(columns[5].type_name == "integer");
    CHECK(!columns[5].key);
    CHECK(!rules->passes_copy());
    CHECK(rules->copy_prefix().empty());
    CHECK(rules->writes(4));
    CHECK(!rules->writes(1));
    CHECK(contains(rules->describe()[1], "column full_name is first || ' ' || last"));
    const Values missing{text("1"), text("Ann"), null};
    CHECK(new_row(table, insert(table, missing))[3] == null);
}

TEST_CASE("a computed column may replace one of the source, and take another name") {
    const auto table = users();
    CHECK(new_row(table, insert(table, ann), "users: {set: {first: \"substring(first from 1 for 1)\"}}") ==
          Values{text("1"), text("A"), text("Lee")});
    const char* mapped = "users: {set: {last: id * 2}, column_mappings: [{source: last, destination: twice}]}";
    CHECK(new_row(table, insert(table, ann), mapped) == Values{text("1"), text("Ann"), text("2")});
    const auto target = load("", mapped)->compile(table)->target();
    CHECK(target->columns[2].name == "twice");
    CHECK(target->columns[2].type_name == "integer");
    // Each reads the source's row, whatever the others write.
    CHECK(new_row(table, insert(table, ann), "users: {set: {first: last, last: first}}") ==
          Values{text("1"), text("Lee"), text("Ann")});
}

TEST_CASE("an expression reads nothing that the rules file hides") {
    const std::string mask = "tables: {users: [{type: transform, column: first, parameters: {type: mask}}]}";
    const std::string refused = refusal(full_name, mask);
    CHECK(contains(refused, "table 'users', column 'full_name'"));
    CHECK(contains(refused, "the expression reads 'first', whose values rule 1 of table 'users', column 'first'"));
    const std::string exclude = "tables: {users: [{type: exclude_column, column: last}]}";
    CHECK(contains(refusal(full_name, exclude), "the expression reads 'last'"));
    CHECK(contains(refusal("users: {set: {first: id + 1}}", mask), "is for the same column"));
    CHECK(contains(refusal("users: {set: {last: id + 1}}", exclude), "is for the same column"));
    CHECK(refusal("users: {set: {n: id + 1}}", mask).empty());
    const std::string strict = "mode: strict\ntables: {users: [{type: keep, columns: [id, first]}]}";
    CHECK(contains(refusal(full_name, strict), "mode is strict"));
    // What the route itself does not list is left out of the target, and no secret.
    const auto table = users();
    CHECK(new_row(table, insert(table, ann), "users: {columns: {only: [id]}, set: {full_name: \"first || last\"}}") ==
          Values{text("1"), text("AnnLee")});
}

TEST_CASE("a computed column that does not fit is refused at start, with file, line, table and column") {
    CHECK(contains(refusal("users:\n  set:\n    n: nosuch + 1"), "table 'users', column 'n' ("));
    CHECK(contains(refusal("users:\n  set:\n    n: nosuch + 1"),
                   "routing.yaml:3): the table public.users has no column 'nosuch' at byte 1 of the expression"));
    CHECK(contains(refusal("users: {set: {n: first +}}"), "syntax error"));
    CHECK(contains(refusal("users: {set: {n: first + 1}}"), "text + integer is not supported"));
    CHECK(contains(refusal("users: {set: {}}"), "'set' must be a map of columns and expressions"));
    CHECK(contains(refusal("users: {set: first}"), "'set' must be a map of columns and expressions"));
    CHECK(contains(refusal("users: {set: {n: [id]}}"), "'n' must be an expression"));
    CHECK(contains(refusal("defaults: {set: {n: id}}"), "unknown key 'set'"));
    CHECK(contains(refusal("users: {set: {id: id + 1}}"), "the column is part of the key"));
    CHECK(contains(refusal("users: {set: {id: id + 1}, operations: [INSERT]}"), "part of a unique index"));
    CHECK(contains(refusal("users: {set: {first: last}}", "", unique_column(users(), "first")),
                   "part of a unique index"));
    CHECK(contains(refusal("users: {columns: {sid: 7}, set: {sid: id}}"), "two columns would be named 'sid'"));
    CHECK(contains(refusal("users: {columns: {only: [id, first]}, set: {last: first}}"), "'only' does not list"));
}

TEST_CASE("an expression without a value for a row stops the worker") {
    const auto table = users();
    const Values last{text("2147483647"), text("Ann"), text("Lee")};
    const std::string error = error_of([&] { applied(table, insert(table, last), "users: {set: {n: id + 1}}"); });
    CHECK(contains(error, "column 'n'"));
    CHECK(contains(error, "in the expression: the number is out of range"));
    CHECK(!contains(error, "2147483647"));
    CHECK(contains(error, "HINT: Correct the expression so that it has a value for this row, too."));
    const char* corrected = "users: {set: {n: \"CASE WHEN id < 2147483647 THEN id + 1 END\"}}";
    CHECK(new_row(table, insert(table, last), corrected)[3] == null);
}

TEST_CASE("a key that is known holds no computed column, and a whole old row all of them") {
    const auto table = users();
    const Values key{text("1"), null, null};
    CHECK(values(applied(table, del(table, OldRow::key, key))->old_row) == Values{text("1"), null, null, null});
    const auto full = users(ReplicaIdentity::full);
    const auto updated = applied(full, update(full, bob, OldRow::full, ann));
    CHECK(updated->new_row[3] == text("Bob Lee"));
    CHECK(updated->old_row[3] == text("Ann Lee"));
    CHECK(applied(full, del(full, OldRow::full, ann))->old_row[3] == text("Ann Lee"));
    CHECK(!load("", full_name)->compile(full)->target()->columns[3].key);
    const char* replaced = "users: {set: {first: \"first || '!'\"}}";
    CHECK(applied(full, del(full, OldRow::full, ann), replaced)->old_row[1] == text("Ann!"));
}

TEST_CASE("with unchanged TOAST a computed column is unchanged, known, or stops the worker") {
    const auto table = users();
    const Values row{text("1"), text("Ann"), toast};
    const std::string error = error_of([&] { applied(table, update(table, row)); });
    CHECK(contains(error, "table 'users', column 'full_name'"));
    CHECK(contains(error, "the update of public.users did not touch column 'last'"));
    CHECK(contains(error, "ALTER TABLE \"public\".\"users\" REPLICA IDENTITY FULL"));
    CHECK(contains(error, "what the expression needs"));
    // Nothing that it is made from has changed.
    CHECK(new_row(table, update(table, row), "users: {set: {n: length(last)}}")[3] == toast);
    CHECK(new_row(table, update(table, row), "users: {set: {n: id || last}}")[3] == toast);
    const Values both{text("1"), toast, toast};
    CHECK(new_row(table, update(table, both))[3] == toast);
    const Values other_key{text("2"), null, null};
    CHECK(contains(
        error_of([&] { applied(table, update(table, row, OldRow::key, other_key), "users: {set: {n: id || last}}"); }),
        "did not touch column 'last'"));
    // The value does not decide.
    CHECK(new_row(table, update(table, row), "users: {set: {n: \"coalesce(first, last)\"}}")[3] == text("Ann"));
    // The old row has it.
    const auto full = users(ReplicaIdentity::full);
    CHECK(new_row(full, update(full, row, OldRow::full, bob))[3] == text("Ann Lee"));
    // A replaced column is as the expression makes it.
    CHECK(new_row(table, update(table, row), "users: {set: {last: \"last || '!'\"}}") ==
          Values{text("1"), text("Ann"), toast});
    CHECK(new_row(table, update(table, row), "users: {set: {last: first}}") ==
          Values{text("1"), text("Ann"), text("Ann")});
}

TEST_CASE("an update that a condition lets in is computed as a whole row") {
    const auto full = users(ReplicaIdentity::full);
    const char* routing = "users: {where: first <> 'Bob', set: {n: length(last)}}";
    const Values row{text("1"), text("Ann"), toast};
    const auto entered = applied(full, update(full, row, OldRow::full, bob), routing);
    REQUIRE(entered);
    CHECK(entered->op == Op::insert);
    CHECK(values(entered->new_row) == Values{text("1"), text("Ann"), text("Lee"), text("3")});
    const auto left = applied(full, update(full, bob, OldRow::full, ann), routing);
    REQUIRE(left);
    CHECK(values(left->old_row) == Values{text("1"), text("Ann"), text("Lee"), text("3")});
}

TEST_CASE("another expression, and another column, are noticed as other rules") {
    const auto table = users();
    const auto meaning = [&](const std::string& routing) { return load("", routing)->meaning(table); };
    CHECK(differences(meaning("users: {}"), meaning(full_name)) == std::vector<std::string>{"the target"});
    CHECK(differences(meaning(full_name), meaning("users: {set: {full_name: first}}")).size() == 1);
    CHECK(differences(meaning("users: {}"), meaning("users: {set: {first: last}}")) ==
          std::vector<std::string>{"column 'first'"});
    CHECK(meaning(full_name) == meaning(full_name));
}

namespace {

RelationPtr numbered(const std::vector<std::string>& names, const std::vector<int>& numbers) {
    std::vector<Column> columns;
    for (std::size_t i = 0; i < names.size(); ++i) {
        columns.push_back(column(names[i], i == 0 ? integer_type : text_type, i == 0));
        columns.back().number = static_cast<std::int16_t>(numbers[i]);
    }
    return relation("users", columns);
}

std::string after_change(const char* routing, const RelationPtr& now) {
    const auto rules = load("", routing);
    static_cast<void>(rules->accept(numbered({"id", "first", "last"}, {1, 2, 3}), {Lsn{1}, 1}));
    return error_of([&] { static_cast<void>(rules->accept(now, {Lsn{2}, 1})); });
}

}  // namespace

TEST_CASE("a column that an expression uses, or replaces, and that is renamed or dropped stops the worker") {
    CHECK(contains(after_change(full_name, numbered({"id", "given", "last"}, {1, 2, 3})), "has no column 'first'"));
    CHECK(contains(after_change(full_name, numbered({"id", "last"}, {1, 3})), "has no column 'first'"));
    CHECK(contains(after_change(full_name, numbered({"id", "last", "first"}, {1, 2, 3})), "is now named"));
    CHECK(contains(after_change("users: {set: {first: last}}", numbered({"id", "given", "last"}, {1, 2, 3})),
                   "its column 'first' is now named 'given'"));
    CHECK(after_change(full_name, numbered({"id", "first", "last", "more"}, {1, 2, 3, 4})).empty());
}

TEST_CASE("a target's column must take all values of the expression's type") {
    const auto table = users();
    const auto checked = [&](const std::string& routing, const std::map<std::string, std::string>& types) {
        const auto rules = load("", routing)->compile(table);
        return error_of([&] { rules::check_computed_types(*rules, types); });
    };
    CHECK(checked(full_name, {{"full_name", "text"}, {"id", "text"}}).empty());
    CHECK(checked(full_name, {{"full_name", "character varying"}}).empty());
    CHECK(checked(full_name, {}).empty());
    CHECK(checked("users: {set: {n: id}}", {{"n", "bigint"}}).empty());
    const std::string error = checked("users:\n  set:\n    n: id * 2.5", {{"n", "integer"}});
    CHECK(contains(error, "table 'users', column 'n' ("));
    CHECK(contains(error,
                   "routing.yaml:3): the expression is numeric, and column 'n' of the target's table "
                   "'public.users' is integer"));
    CHECK(contains(error, "HINT: Cast the expression, as in (...)::integer"));
    CHECK(checked("users: {set: {n: \"(id * 2.5)::integer\"}}", {{"n", "integer"}}).empty());
    CHECK(contains(checked(full_name, {{"full_name", "character"}}), "is character"));
}

// ---- definitions

namespace {

TableDefinition defined() {
    TableDefinition table{"public", "users"};
    const std::pair<const char*, Oid> columns[] = {{"id", 23}, {"first", 25}, {"last", 25}};
    for (const auto& [name, oid] : columns) {
        auto& made = table.columns.emplace_back();
        made.number = static_cast<std::int16_t>(table.columns.size());
        made.name = name;
        made.type = oid == 23 ? "integer" : "text";
        made.type_oid = made.base_oid = oid;
    }
    table.constraints = {{8, "users_pkey", 'p', "PRIMARY KEY (id)", true}};
    return table;
}

std::optional<DefinitionMessage> ruled(const char* routing, const DefinitionMessage& message) {
    const auto content = ruled_ddl(*load("", routing), encode(message));
    return content ? std::optional(decode_definitions(*content)) : std::nullopt;
}

TableDefinition made(const char* routing, const TableDefinition& table) {
    const auto message = ruled(routing, {"CREATE TABLE", {{1, std::nullopt, table}}});
    REQUIRE(message);
    CHECK(message->objects[0].obstacle.empty());
    return std::get<TableDefinition>(*message->objects[0].after);
}

std::string names_of(const TableDefinition& table) {
    std::string names;
    for (const ColumnDefinition& column : table.columns)
        names += (names.empty() ? "" : ", ") + column.name + ' ' + column.type;
    return names;
}

DefinitionMessage altered(const TableDefinition& after, int rewritten = 0) {
    DefinitionMessage message{"ALTER TABLE", {{1, defined(), after}}};
    message.objects[0].rewritten = rewritten;
    return message;
}

}  // namespace

TEST_CASE("definitions have the computed columns, with their types") {
    CHECK(names_of(made(full_name, defined())) == "id integer, first text, last text, full_name text");
    CHECK(names_of(made("users: {columns: {only: [id], sid: 7}, set: {n: id + 1}}", defined())) ==
          "sid bigint, id integer, n integer");
    TableDefinition table = defined();
    table.columns[1].not_null = true;
    table.columns[1].expression = "'x'::text";
    table.constraints.push_back({9, "u", 'u', "UNIQUE (first)", true});
    table.constraints.push_back({10, "c", 'c', "CHECK ((first <> ''::text))", true});
    const TableDefinition replaced = made("users: {set: {first: length(first)}}", table);
    CHECK(names_of(replaced) == "id integer, first integer, last text");
    CHECK(!replaced.columns[1].not_null);
    CHECK(replaced.columns[1].expression.empty());
    CHECK(replaced.constraints.size() == 1);
}

TEST_CASE("captured DDL: what does not touch a computed column passes, and what does stops") {
    TableDefinition later = defined();
    later.columns.push_back(later.columns[2]);
    later.columns[3].number = 4;
    later.columns[3].name = "more";
    const auto added = ruled(full_name, altered(later));
    REQUIRE(added);
    CHECK(added->objects[0].obstacle.empty());
    CHECK(names_of(std::get<TableDefinition>(*added->objects[0].after)) ==
          "id integer, first text, last text, more text, full_name text");
    // The source gets a column of the name: the target has it already.
    later.columns[3].name = "full_name";
    CHECK(!ruled(full_name, altered(later)));

    TableDefinition without = defined();
    without.columns.erase(without.columns.begin() + 1);
    CHECK(contains(error_of([&] { ruled(full_name, altered(without)); }), "has no column 'first'"));
    TableDefinition renamed = defined();
    renamed.columns[1].name = "given";
    CHECK(contains(error_of([&] { ruled(full_name, altered(renamed)); }), "its column 'first' is now named 'given'"));

    TableDefinition typed = defined();
    typed.columns[0].type = "bigint";
    typed.columns[0].type_oid = typed.columns[0].base_oid = 20;
    constexpr int column_rewrite = 4;
    const auto stopped = ruled("users: {set: {n: id + 1}}", altered(typed, column_rewrite));
    REQUIRE(stopped);
    CHECK(stopped->objects[0].obstacle == "the type of column 'id' changes, and 'n' is computed from it");
    CHECK(ruled(full_name, altered(typed, column_rewrite))->objects[0].obstacle.empty());
}
