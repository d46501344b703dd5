// Rules of keys, and the columns that refer to them: inherited, or refused.
#include "rules/keys/inherited_rules.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "rules/check.h"
#include "stream/definition/definition_message.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using rules::ForeignKeys;
using test::contains;

namespace {

const RelationPtr users = relation("users", {column("id", integer_type, true), column("email", text_type, true)});
const RelationPtr orders =
    relation("orders", {column("id", integer_type, true), column("buyer", text_type), column("note", text_type)});
const RelationPtr lines = relation("lines", {column("id", integer_type, true), column("who", text_type)});

QualifiedName named(const std::string& table) { return {"public", table}; }
ColumnReference refers(const std::string& table, const std::string& column, const std::string& to_table,
                       const std::string& to_column, bool same_type = true) {
    return {named(table), column, named(to_table), to_column, same_type};
}
const ColumnReference buyer = refers("orders", "buyer", "users", "email");

// A file of rules for `users`, and perhaps for others.
std::string file(const std::string& of_users, const std::string& more = "") {
    return "secret_env: HOME\ntables:\n  users: [" + of_users + "]\n" + more;
}
const std::string hash = "{type: transform, column: email, parameters: {type: hash}}";
const std::string on_buyer = "{type: transform, column: buyer, parameters: {type: hash}}";

std::unique_ptr<Ruleset> with_keys(const std::string& rules, std::vector<ColumnReference> references,
                                   std::vector<RelationPtr> tables = {users, orders, lines}) {
    auto ruleset = load(rules);
    ruleset->refer({std::move(references), std::move(tables)});
    return ruleset;
}

std::string refusal(const std::string& rules, std::vector<ColumnReference> references = {buyer},
                    std::vector<RelationPtr> tables = {users, orders, lines}) {
    const auto ruleset = with_keys(rules, std::move(references), std::move(tables));
    return error_of([&] { static_cast<void>(ruleset->compile(orders)); });
}

// What becomes of the second column's value "abc".
std::string made_of(const Ruleset& ruleset, const RelationPtr& table) {
    Values row(table->columns.size(), text("1"));
    row[1] = text("abc");
    Change change = insert(table, row);
    Arena arena;
    REQUIRE(ruleset.compile(table)->apply(change, arena));
    return std::string(change.new_row[1].text());
}

RelationPtr below(const std::string& table, const RelationPtr& above) {
    Relation made = *above;
    made.oid += 1;
    made.table = table;
    made.ancestors = {{above->schema, above->table}};
    return std::make_shared<const Relation>(made);
}

}  // namespace

TEST_CASE("a column that refers to a key has the key's rules") {
    const auto ruleset = with_keys(file(hash), {buyer});
    CHECK(made_of(*ruleset, orders) == made_of(*ruleset, users));
    CHECK(made_of(*ruleset, orders) != "abc");
    CHECK(made_of(*ruleset, lines) == "abc");
    const auto steps = ruleset->compile(orders)->describe();
    REQUIRE(steps.size() == 1);
    CHECK(contains(steps[0], "buyer: "));
    CHECK(contains(steps[0], ", as public.users.email"));
}

TEST_CASE("it does so over several keys, and keys that refer to themselves or in a circle end") {
    const auto ruleset = with_keys(
        file(hash), {buyer, refers("lines", "who", "orders", "buyer"), refers("users", "email", "lines", "who")});
    CHECK(made_of(*ruleset, lines) == made_of(*ruleset, users));
    CHECK(made_of(*ruleset, orders) == made_of(*ruleset, users));
    CHECK(made_of(*with_keys(file(""), {refers("users", "email", "users", "email")}), users) == "abc");
}

TEST_CASE("other rules of its table stay, and filters judge the value as it was") {
    const std::string more =
        "  orders:\n"
        "    - {type: filter, column: buyer, parameters: {operator: eq, value: abc}}\n"
        "    - {type: transform, column: note, parameters: {type: redact, length: 2}}\n";
    const auto ruleset = with_keys(file(hash, more), {buyer});
    CHECK(made_of(*ruleset, orders) == made_of(*ruleset, users));
    const Values row{text("1"), text("abc"), text("x")};
    Change change = insert(orders, row);
    Arena arena;
    REQUIRE(ruleset->compile(orders)->apply(change, arena));
    CHECK(change.new_row[2] == text("**"));
}

TEST_CASE("partitions go by what their table inherits, and keep its other rules") {
    const auto part = below("orders_1", orders);
    const std::string more = "  orders: [{type: transform, column: note, parameters: {type: redact, length: 2}}]\n";
    const auto ruleset =
        with_keys(file(hash, more), {buyer, refers("orders_1", "buyer", "users", "email")}, {users, part, lines});
    CHECK(made_of(*ruleset, part) == made_of(*ruleset, users));
    CHECK(ruleset->compile(part)->describe().size() == 2);
    // One that comes later, of which no key is known.
    CHECK(made_of(*ruleset, below("orders_2", orders)) == made_of(*ruleset, users));
}

TEST_CASE("a partition with an entry of its own inherits, too") {
    const auto part = below("orders_1", orders);
    const auto ruleset = with_keys(file(hash, "  orders_1: [{type: keep, column: note}]\n"),
                                   {buyer, refers("orders_1", "buyer", "users", "email")}, {users, part, lines});
    CHECK(made_of(*ruleset, part) == made_of(*ruleset, users));
}

TEST_CASE("in strict mode what is inherited names a column") {
    const std::string rules = "mode: strict\n" + file(hash + ", {type: keep, column: id}");
    CHECK(contains(refusal(rules), "names the column for all operations"));
    const std::string more = "  orders: [{type: keep, columns: [id, note]}]\n";
    CHECK(refusal("mode: strict\n" + file(hash, more)) == "");
}

TEST_CASE("what would break a foreign key, or show a key, is refused") {
    const std::string redact = "  orders: [{type: transform, column: buyer, parameters: {type: redact}}]\n";
    struct Case {
        std::string rules;
        std::string reason;
    };
    const std::vector<Case> cases{
        {file("", "  orders: [" + on_buyer + "]\n"), "the column refers to public.users.email, which has no transform"},
        {file(hash, redact), "refers to public.users.email, which has other rules"},
        {file(hash, "  orders: [{type: keep, column: buyer}]\n"), "whose values are hidden by rule 1 of table 'users'"},
        {file("{type: transform, column: email, operations: [INSERT], parameters: {type: redact}}"),
         "public.orders.buyer refers to the column, and its transform is not for all operations"},
        {file("{type: transform, column: email, parameters: {type: word, random: true}}"),
         "public.orders.buyer refers to the column, and a random value would not be found again"},
        {file("{type: transform, column: email, parameters: {type: word, by: id}}"),
         "public.orders.buyer refers to the column, and its transform goes by another column of the row"},
        {file("{type: transform, column: email, parameters: {type: word}, when: {column: id, operator: eq, value: 1}}"),
         "public.orders.buyer refers to the column, and its transform is not for all rows"},
        {file("{type: exclude_column, column: email}"),
         "public.orders.buyer refers to the column, and would show its values"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.rules);
        const std::string error = refusal(one.rules);
        CHECK_MESSAGE(contains(error, one.reason), error);
        CHECK(contains(error, "allow_key_mismatch"));
        CHECK_NOTHROW(static_cast<void>(with_keys(one.rules, {})->compile(orders)));
    }
    CHECK(contains(refusal(file(hash), {refers("orders", "buyer", "users", "email", false)}), "is of another type"));
    CHECK(contains(refusal(file(hash), {buyer, refers("orders", "buyer", "lines", "who")}),
                   "to public.lines.who, which has no transform"));
    CHECK(contains(refusal(file(hash, "  users_1: []\n"), {buyer}, {below("users_1", users), orders}),
                   "not all partitions have the same rules"));
}

TEST_CASE("a refused foreign key is taken once its hint is followed") {
    const std::string on_its_own =
        "  orders: [{type: transform, column: buyer, allow_key_mismatch: true, parameters: {type: redact}}]\n";
    const std::string same = "  orders: [" + on_buyer + "]\n";
    const std::string one_side = refusal(file("", same));
    CHECK(contains(one_side,
                   "Give both columns the same rules, which the column that refers has without one of its own. Or set "
                   "allow_key_mismatch: true in its rule"));
    CHECK(refusal(file(hash, same)) == "");
    CHECK(refusal(file(hash)) == "");
    CHECK(refusal(file("", on_its_own)) == "");
    const std::string random = "{type: transform, column: email, parameters: {type: word, random: true}}";
    CHECK(contains(refusal(file(random)),
                   "Give 'buyer' of public.orders a rule of its own: exclude_column, or one with "
                   "allow_key_mismatch: true"));
    CHECK(refusal(file(random, on_its_own)) == "");
    CHECK(refusal(file(random, "  orders: [{type: exclude_column, column: buyer}]\n")) == "");
    CHECK(refusal(file(random, "  orders: [{type: keep, column: buyer, allow_key_mismatch: true}]\n")) == "");
}

TEST_CASE("a column that becomes NULL breaks no key, and nor does one that refers to a table that is not there") {
    CHECK(refusal(file(hash, "  orders: [{type: transform, column: buyer, parameters: {type: 'null'}}]\n")) == "");
    CHECK(refusal(file("", "  orders: [" + on_buyer + "]\n"), {buyer}, {orders, lines}) == "");
    // Where some rows keep their values, these must be what the key has.
    const std::string some =
        "  orders: [{type: transform, column: buyer, parameters: {type: 'null'}, when: {column: note, operator: "
        "is_null}}]\n";
    CHECK(refusal(file("", some)) == "");
    CHECK(contains(refusal(file(hash, some)), "which has other rules"));
    // What the file hides of a key stays hidden all the same.
    CHECK(made_of(*with_keys(file(hash), {buyer}, {orders}), orders) == made_of(*load(file(hash)), users));
}

TEST_CASE("keys of a table that joins are looked for before its first row") {
    const auto ruleset = load(file(hash));
    int looks = 0;
    std::vector<ColumnReference> now{buyer};
    ruleset->refer({{}, {users}}, [&] {
        ++looks;
        return now;
    });
    static_cast<void>(ruleset->accept(users, {Lsn{1}, 1}));
    CHECK(looks == 0);
    static_cast<void>(ruleset->accept(orders, {Lsn{2}, 1}));
    static_cast<void>(ruleset->accept(orders, {Lsn{3}, 1}));
    CHECK(looks == 1);
    CHECK(made_of(*ruleset, orders) == made_of(*ruleset, users));
    // Of a column that is added, and not of one whose rows came before.
    Relation wider = *orders;
    wider.columns.push_back(column("seller", text_type));
    const ColumnReference seller = refers("orders", "seller", "users", "email");
    const ColumnReference note = refers("orders", "note", "users", "email");
    now = {seller, note};
    const auto later = std::make_shared<const Relation>(wider);
    static_cast<void>(ruleset->accept(later, {Lsn{4}, 1}));
    CHECK(looks == 2);
    CHECK(ruleset->compile(later)->describe().size() == 2);
    // A key that is gone is kept in mind: rows must not come unmasked.
    ruleset->refer({{}, {users, orders}});
    CHECK(made_of(*ruleset, relation("orders", orders->columns)) == made_of(*ruleset, users));
}

TEST_CASE("keys of a table that joins are looked for before a truncate of it, after which its rows come") {
    const auto ruleset = load(file(hash));
    ruleset->refer({{}, {users}}, [] { return std::vector<ColumnReference>{buyer}; });
    static_cast<void>(ruleset->accept(users, {Lsn{1}, 1}));
    Change emptied;
    emptied.op = Op::truncate;
    emptied.relation = orders.get();
    const std::vector<RelationPtr> tables{orders};
    emptied.truncated = tables;
    Arena arena;
    REQUIRE(ruleset->apply_truncate(emptied, arena));
    static_cast<void>(ruleset->accept(orders, {Lsn{2}, 1}));
    CHECK(made_of(*ruleset, orders) == made_of(*ruleset, users));
}

TEST_CASE("a column that refers may be renamed or dropped, and is hidden under its new name") {
    const auto numbered = [](const std::vector<std::string>& names) {
        Relation made = *orders;
        made.columns.clear();
        for (const std::string& name : names) {
            Column& one = made.columns.emplace_back(column(name, text_type, name == "id"));
            one.number = static_cast<std::int16_t>(name == "id" ? 1 : name == "note" ? 3 : 2);
        }
        return std::make_shared<const Relation>(made);
    };
    const auto first = numbered({"id", "buyer", "note"});
    std::vector<ColumnReference> now{buyer};
    const auto ruleset = load(file(hash));
    ruleset->refer({now, {users, first}}, [&] { return now; });
    static_cast<void>(ruleset->accept(first, {Lsn{1}, 1}));
    now = {refers("orders", "customer", "users", "email")};
    const auto renamed = numbered({"id", "customer", "note"});
    static_cast<void>(ruleset->accept(renamed, {Lsn{2}, 1}));
    CHECK(made_of(*ruleset, renamed) == made_of(*ruleset, users));
    CHECK_NOTHROW(static_cast<void>(ruleset->accept(numbered({"id", "note"}), {Lsn{3}, 1})));

    // Without the key it would come unmasked.
    const auto other = load(file(hash));
    other->refer({{buyer}, {users, first}}, [] { return std::vector<ColumnReference>{}; });
    static_cast<void>(other->accept(first, {Lsn{1}, 1}));
    CHECK(contains(error_of([&] {
                       static_cast<void>(other->accept(renamed, {Lsn{2}, 1}));
                   }),
                   "its column 'buyer' is now named 'customer'"));
}

TEST_CASE("rows that came before a key was known are known to have come under other rules") {
    const auto before = load(file(hash))->meaning(orders);
    CHECK(before != with_keys(file(hash), {buyer})->meaning(orders));
    CHECK(before == with_keys(file(hash), {})->meaning(orders));
}

TEST_CASE("definitions do not show what a column with inherited rules holds") {
    TableDefinition table{"public", "orders"};
    ColumnDefinition made;
    made.number = 2;
    made.name = "buyer";
    made.type = "text";
    made.type_oid = made.base_oid = 25;
    TableDefinition before = table;
    before.columns = {made};
    made.comment = made.expression = "'canary'::text";
    table.columns = {made};
    const std::string content = encode(DefinitionMessage{"ALTER TABLE", {{orders->oid, before, table}}});
    CHECK(contains(ruled_ddl(*with_keys(file(hash), {}), content).value_or(""), "canary"));
    CHECK_FALSE(contains(ruled_ddl(*with_keys(file(hash), {buyer}), content).value_or(""), "canary"));
    // Keys that the definition itself says, of a table that nothing is known of.
    table.constraints = {{7, "k", 'f', "FOREIGN KEY (a, PERIOD buyer) REFERENCES public.users(b, PERIOD email)", true}};
    const std::string made_new = encode(DefinitionMessage{"CREATE TABLE", {{9, std::nullopt, table}}});
    CHECK_FALSE(contains(ruled_ddl(*load(file(hash)), made_new).value_or(""), "canary"));
}

TEST_CASE("check rules lists what refers to what, and warns of rows that are left out") {
    const auto ruleset = with_keys(file(hash + ", {type: filter, column: id, parameters: {operator: gt, value: 5}}"),
                                   {buyer, refers("lines", "who", "orders", "note")});
    const std::vector<CheckedTable> tables{{users, {}}, {orders, {}}, {lines, {}}};
    const RulesCheck check = check_rules(*ruleset, tables);
    CHECK(contains(check.text,
                   "foreign keys\n"
                   "  public.lines.who -> public.orders.note: no rule\n"
                   "  public.orders.buyer -> public.users.email: inherited: "));
    CHECK(std::ranges::count_if(check.warnings, [](const std::string& warning) {
              return contains(warning,
                              "rows of public.orders may refer by 'buyer' to rows of public.users that the files leave "
                              "out");
          }) == 1);
    CHECK_FALSE(contains(check.text, "may refer by 'who'"));
    const std::string json = rules_check_json(check);
    CHECK(contains(json, R"({"table":"public.orders","column":"buyer","refers_to":["public.users.email"],)"
                         R"("state":"inherited","rules":")"));
    CHECK(contains(json, R"("problems":[],"warnings":[")"));
}

TEST_CASE("a table that no rule names, and that is made like one with rules, is warned of") {
    Relation copy = *users;
    copy.table = "users_2025";
    copy.columns.push_back(column("saved", date_type));
    const auto backup = std::make_shared<const Relation>(copy);
    const auto warnings = [&](const std::string& rules, const RelationPtr& table) {
        std::string all;
        const auto compiled = with_keys(rules, {})->compile(table);
        for (const std::string& warning : compiled->warnings()) all += warning + "\n";
        return all;
    };
    CHECK(
        contains(warnings(file(hash), backup),
                 "no rule names the table public.users_2025, which has all columns of public.users, of which the rules "
                 "hide 'email': "));
    CHECK_FALSE(contains(warnings(file(hash), lines), "which has all columns"));
    CHECK_FALSE(contains(warnings(file("{type: keep, column: email}"), backup), "which has all columns"));
    CHECK_FALSE(contains(warnings(file(hash, "  users_2025: [{type: keep, column: email}]\n"), backup),
                         "which has all columns"));
}
