// `when`: a transform for some rows. What is not known to be false is transformed; what cannot be known stops.
#include <doctest/doctest.h>

#include "rules/named_columns.h"
#include "rules/rules_files.h"
#include "stream/group/delivered_rules.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

RelationPtr people(ReplicaIdentity identity = ReplicaIdentity::default_key) {
    return relation("people",
                    {column("id", integer_type, true), column("name", text_type), column("country", text_type),
                     column("age", integer_type)},
                    identity);
}

std::string rule(const std::string& when, const std::string& more = {}) {
    return "tables: {people: [{type: transform, column: name, parameters: {type: mask}, when: " + when + more + "}]}";
}
const std::string german = "{column: country, operator: eq, value: DE}";

std::shared_ptr<const CompiledRules> compiled(const std::string& rules, const RelationPtr& table) {
    return load(rules)->compile(table);
}

Values person(const Value& name, const Value& country, const char* age = "30") {
    return {text("1"), name, country, text(age)};
}

// The name after the rules; of the new row, or of a delete's old one.
std::string name_after(const CompiledRules& rules, Change change) {
    static Arena arena;
    if (!rules.apply(change, arena)) return "dropped";
    const Value& name = (change.op == Op::del ? change.old_row : change.new_row)[1];
    return name.is_unchanged() ? "unchanged" : name.is_null() ? "NULL" : std::string(name.text());
}

std::string refused(const std::string& rules, const RelationPtr& table = people()) {
    return error_of([&] { (void)compiled(rules, table); });
}

}  // namespace

TEST_CASE("when: a transform is applied unless a condition is false") {
    const RelationPtr table = people();
    const auto after = [&](const std::string& when, const Value& country, const char* age = "30") {
        const Values row = person(text("Anna"), country, age);
        return name_after(*compiled(rule(when), table), insert(table, row));
    };
    CHECK(after(german, text("DE")) == "A**a");
    CHECK(after(german, text("US")) == "Anna");
    const std::string both = "[" + german + ", {column: age, operator: gte, value: 18}]";
    CHECK(after(both, text("DE"), "18") == "A**a");
    CHECK(after(both, text("DE"), "17") == "Anna");
    CHECK(after(both, text("US"), "18") == "Anna");
    CHECK(after("{column: country, operator: in, values: [DE, AT]}", text("AT")) == "A**a");
    CHECK(after("{column: name, operator: regex, value: '^A'}", text("US")) == "A**a");
    CHECK(after("{column: name, operator: regex, value: '^B'}", text("US")) == "Anna");
}

TEST_CASE("when: NULL makes no condition false, so the value is hidden") {
    const RelationPtr table = people();
    const Values row = person(text("Anna"), null);
    for (const char* op : {"eq", "ne", "gt", "lt", "contains"})
        CHECK(name_after(*compiled(rule(std::string("{column: country, operator: ") + op + ", value: DE}"), table),
                         insert(table, row)) == "A**a");
    const auto is_null = [&](const char* op) {
        return name_after(*compiled(rule(std::string("{column: country, operator: ") + op + "}"), table),
                          insert(table, row));
    };
    CHECK(is_null("is_null") == "A**a");
    CHECK(is_null("not_null") == "Anna");
}

TEST_CASE("when: it judges the row as the source has it, whatever rules make of its columns") {
    const RelationPtr table = people();
    const auto rules = compiled(
        "tables: {people: [{type: transform, column: country, parameters: {type: redact}}, "
        "{type: transform, column: name, parameters: {type: mask}, when: " +
            german + "}, {type: exclude_column, column: age}]}",
        table);
    const Values there = person(text("Anna"), text("DE"));
    const Values elsewhere = person(text("Anna"), text("US"));
    CHECK(name_after(*rules, insert(table, there)) == "A**a");
    CHECK(name_after(*rules, insert(table, elsewhere)) == "Anna");
}

TEST_CASE("when: an update is judged by its new row, a whole old row by itself") {
    const RelationPtr table = people(ReplicaIdentity::full);
    const auto rules = compiled(rule(german), table);
    const Values was = person(text("Anna"), text("US"));
    const Values is = person(text("Anna"), text("DE"));
    Change moved = update(table, is, OldRow::full, was);
    Arena arena;
    REQUIRE(rules->apply(moved, arena));
    CHECK(moved.new_row[1] == text("A**a"));
    CHECK(moved.old_row[1] == text("Anna"));
    CHECK(name_after(*rules, del(table, OldRow::full, was)) == "Anna");
    CHECK(name_after(*rules, del(table, OldRow::full, is)) == "A**a");
}

TEST_CASE("when: a value that the update did not touch stays hidden, and stays as it is") {
    const RelationPtr full = people(ReplicaIdentity::full);
    const auto rules = compiled(rule(german), full);
    const Values german_row = person(text("Anna"), text("DE"));
    const Values other_row = person(text("Anna"), text("US"));
    const Values now_german = person(toast, text("DE"));
    const Values now_other = person(toast, text("US"));
    CHECK(name_after(*rules, update(full, now_german, OldRow::full, german_row)) == "unchanged");
    CHECK(name_after(*rules, update(full, now_other, OldRow::full, other_row)) == "unchanged");
    CHECK(name_after(*rules, update(full, now_german, OldRow::full, other_row)) == "A**a");
    CHECK(name_after(*rules, update(full, now_other, OldRow::full, german_row)) == "Anna");
}

TEST_CASE("when: every rule of the column makes its part of a value that is taken from the old row") {
    const RelationPtr full = people(ReplicaIdentity::full);
    const auto rules = compiled(
        "tables: {people: [{type: transform, column: name, parameters: {type: truncate, length: 3}}, "
        "{type: transform, column: name, parameters: {type: mask}, when: " +
            german + "}]}",
        full);
    const Values was = person(text("Annabel"), text("DE"));
    const Values now = person(toast, text("US"));
    CHECK(name_after(*rules, update(full, now, OldRow::full, was)) == "Ann");
}

TEST_CASE("when: where a value that the WAL does not hold may have to become another one, it stops") {
    const RelationPtr table = people();
    const auto rules = compiled(rule(german), table);
    const auto error = [&](const Values& row) {
        return error_of([&] { (void)name_after(*rules, update(table, row)); });
    };
    for (const char* country : {"DE", "US"}) {
        const std::string stopped = error(person(toast, text(country)));
        CHECK(contains(stopped, "unable to apply rule 1 of table 'people', column 'name'"));
        CHECK(contains(stopped, "may have changed what 'when' reads"));
        CHECK(contains(stopped, "REPLICA IDENTITY FULL"));
    }
    CHECK(contains(error(person(text("Anna"), toast)), "did not touch a value that 'when' reads"));
    CHECK(error(person(toast, toast)).empty());
    const auto by_age = compiled(rule("[" + german + ", {column: age, operator: gte, value: 18}]"), table);
    const Values child = person(text("Anna"), toast, "17");
    CHECK(name_after(*by_age, update(table, child)) == "Anna");
}

TEST_CASE("when: what the old row does not hold may have been NULL") {
    const RelationPtr table = people();
    const Values row = person(toast, text("DE"));
    for (const char* op : {"not_null", "is_null"}) {
        const auto rules = compiled(rule(std::string("{column: country, operator: ") + op + "}"), table);
        CHECK(contains(error_of([&] { (void)name_after(*rules, update(table, row)); }),
                       "may have changed what 'when' reads"));
    }
}

TEST_CASE("when: what the key alone decides needs no old row") {
    const RelationPtr table = people();
    const auto rules = compiled(rule("{column: id, operator: lt, value: 100}"), table);
    const Values same_key = person(toast, text("DE"));
    CHECK(name_after(*rules, update(table, same_key)) == "unchanged");
    const Values old_key{text("200"), null, null, null};
    CHECK(contains(error_of([&] { (void)name_after(*rules, update(table, same_key, OldRow::key, old_key)); }),
                   "may have changed what 'when' reads"));
}

TEST_CASE("when: a transform of the key goes by the key only, and says so where it may lose uniqueness") {
    const RelationPtr codes = relation("people", {column("code", text_type, true), column("country", text_type)});
    const auto on_code = [](const std::string& when, const std::string& more = {}) {
        return "tables: {people: [{type: transform, column: code, parameters: {type: redact}, allow_uniqueness_loss: "
               "true, when: " +
               when + more + "}]}";
    };
    CHECK(contains(refused(on_code(german), codes), "but 'country', which 'when' reads, is not"));
    const auto rules = compiled(on_code("{column: code, operator: contains, value: '@'}"), codes);
    const Values key{text("a@b"), null};
    const Values other{text("ab"), null};
    Arena arena;
    Change gone = del(codes, OldRow::key, key);
    REQUIRE(rules->apply(gone, arena));
    CHECK(gone.old_row[0] == text("********"));
    Change kept = del(codes, OldRow::key, other);
    REQUIRE(rules->apply(kept, arena));
    CHECK(kept.old_row[0] == text("ab"));
    const std::string hash =
        "tables: {people: [{type: transform, column: code, parameters: {type: constant, value: x}, when: {column: "
        "code, operator: eq, value: y}}]}";
    CHECK(contains(refused(hash, codes), "can make different keys the same"));
    const TextFile secret("secret", "secret");
    const std::string unique =
        "secret_file: " + secret.path() +
        "\ntables: {people: [{type: transform, column: name, parameters: {type: email}, when: " + german + "}]}";
    CHECK(contains(refused(unique, unique_column(people(), "name")), "by 'when' can become the same as what is not"));
    CHECK(refused(unique).empty());
}

TEST_CASE("when: what is no condition is refused, and so are columns and values that do not fit") {
    CHECK(contains(refused(rule("[]")), "at least one condition"));
    CHECK(contains(refused(rule("{operator: eq, value: DE}")), "'column' is missing"));
    CHECK(contains(refused(rule("{column: country, operator: eq}")), "'value' is missing"));
    CHECK(contains(refused(rule("{column: country, operator: eq, value: DE, or: x}")), "unknown key 'or'"));
    CHECK(contains(refused(rule("{column: land, operator: eq, value: DE}")), "has no column 'land'"));
    CHECK(contains(refused(rule("{column: age, operator: gte, value: old}")), "the column is integer"));
    CHECK(contains(refused("tables: {people: [{type: keep, column: name, when: " + german + "}]}"),
                   "'when' is for transforms"));
    const std::string filtered =
        "tables: {people: [{type: transform, column: name, parameters: {type: mask}, when: " + german +
        "}, {type: filter, column: name, parameters: {operator: eq, value: a}}]}";
    CHECK(contains(refused(filtered), "a filter cannot judge what a transform with 'by', 'random' or 'when' makes"));
}

TEST_CASE("when: a value that it cannot read stops, and does not show") {
    const RelationPtr table = people();
    const auto rules = compiled(rule(german), table);
    const Values row = person(text("Anna"), text("canary\xff"));
    const std::string error = error_of([&] { (void)name_after(*rules, insert(table, row)); });
    CHECK(contains(error, "not valid UTF-8"));
    CHECK_FALSE(contains(error, "canary"));
}

TEST_CASE("when: another condition is another rule to rows that were delivered") {
    const auto meaning = [](const std::string& rules) { return load(rules)->meaning(people()); };
    const auto plain = meaning("tables: {people: [{type: transform, column: name, parameters: {type: mask}}]}");
    const std::vector<std::string> name{"column 'name'"};
    CHECK(differences(plain, meaning(rule(german))) == name);
    CHECK(differences(meaning(rule(german)), meaning(rule("{column: country, operator: eq, value: AT}"))) == name);
    CHECK(differences(meaning(rule(german)), meaning(rule("{column: country, operator: ne, value: DE}"))) == name);
    CHECK(differences(meaning(rule(german)), meaning(rule("[" + german + "]"))).empty());
}

TEST_CASE("when: strict mode and the coverage take the column for one that is named for some rows only") {
    const auto kept = [&](const std::string& columns) {
        return "mode: strict\ntables: {people: [{type: keep, columns: [" + columns +
               "]}, {type: transform, column: name, parameters: {type: mask}, when: " + german + "}]}";
    };
    CHECK(contains(refused(kept("id, country, age")), "a transform with 'when' names the column for some rows only"));
    CHECK(refused(kept("id, country, age, name")).empty());
    const TextFile file(kept("id, country, age"));
    const RulesFiles files = read_rules_files({file.path(), ""});
    const auto unnamed = rules::unnamed_columns(files.rules, files.routes, *people());
    REQUIRE(unnamed.size() == 1);
    CHECK(unnamed[0].name == "name");
    CHECK(unnamed[0].conditional);
}

TEST_CASE("when: a column that takes the name of one that it reads stops the worker") {
    Relation before = *people();
    for (std::size_t i = 0; i < before.columns.size(); ++i) before.columns[i].number = static_cast<std::int16_t>(i + 1);
    Relation after = before;
    after.columns[2].name = "land";
    after.columns.push_back(before.columns[2]);
    after.columns.back().number = 5;
    const auto old_table = std::make_shared<const Relation>(before);
    const auto new_table = std::make_shared<const Relation>(after);
    const auto ruleset = load(rule(german));
    (void)ruleset->accept(old_table, {Lsn{1}, 1});
    CHECK(contains(error_of([&] {
                       (void)ruleset->accept(new_table, {Lsn{2}, 1});
                   }),
                   "its column 'country' is now named 'land'"));
}

TEST_CASE("when: it is said in the plan of the table") {
    const auto rules = compiled(rule("[" + german + ", {column: age, operator: not_null}]"), people());
    REQUIRE_FALSE(rules->describe().empty());
    CHECK(contains(rules->describe()[0], ", when country eq DE and age not_null"));
}
