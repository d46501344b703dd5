// A text made of other columns of the row: never of what is hidden of them, and never of what is not known.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using test::contains;

namespace {

const std::vector<Column> columns{column("id", integer_type, true), column("first", text_type),
                                  column("last", text_type), column("email", text_type), column("born", date_type)};
const RelationPtr people = relation("people", columns);
const RelationPtr full = relation("people", columns, ReplicaIdentity::full);

std::string file_with(const std::string& written, const std::string& more = "") {
    return "tables:\n  people:\n    - {type: transform, column: email, parameters: {type: template, template: '" +
           written + "'}}\n" + more;
}
const std::string mask_both = "    - {type: transform, columns: [first, last], parameters: {type: mask}}\n";

// The third column of what becomes of the row; "unchanged", "NULL".
std::string made(const std::string& file, Change change, const RelationPtr& table = people) {
    Arena arena;
    const bool passes = load(file)->compile(table)->apply(change, arena);
    REQUIRE(passes);
    const Value& value = change.new_row[3];
    return value.is_null() ? "NULL" : value.is_unchanged() ? "unchanged" : std::string(value.text());
}
std::string made_of(const std::string& written, const std::string& more = "") {
    const Values row{text("7"), text("Anna Maria"), text("Müller"), text("raw"), text("1984-05-06")};
    return made(file_with(written, more), insert(people, row));
}

}  // namespace

TEST_CASE("a template is made of the other columns, each through its functions") {
    CHECK(made_of("{first|lower} {last|upper}") == "anna maria MüLLER");
    CHECK(made_of("{first|slugify}.{last|slugify}@example.com") == "anna-maria.mueller@example.com");
    CHECK(made_of("{first|before: }/{first|after: }/{first|after:x}/{first|before:x}") == "Anna/Maria//Anna Maria");
    CHECK(made_of("{first|first:1}{last|first:2}") == "AMü");
    CHECK(made_of("{{{id}}}") == "{7}");
    CHECK(made_of("{born|year}{born|month}{born|day}") == "19840506");
    CHECK(made_of("{first|lower|before: |upper}") == "ANNA");
}

TEST_CASE("a template never has what is hidden of a column, wherever its rule is in the file") {
    CHECK(made_of("{first}.{last}", mask_both) == "A********a.M****r");
    const std::string above = "tables:\n  people:\n" + mask_both +
                              file_with("{first}.{last}").substr(std::string("tables:\n  people:\n").size());
    CHECK(made(above, insert(people, {text("7"), text("Anna"), text("Lee"), text("raw"), null})) == "A**a.L*e");
}

TEST_CASE("NULL stays NULL, and is an empty text within a template") {
    CHECK(made(file_with("{first}{last}"), insert(people, {text("7"), text("Anna"), null, text("raw"), null})) ==
          "Anna");
    CHECK(made(file_with("{first}"), insert(people, {text("7"), text("Anna"), null, null, null})) == "NULL");
}

TEST_CASE("a template goes by the new row, is unchanged where all of it is, and stops where it may not be") {
    const std::string both = file_with("{first}.{last}", mask_both);
    const Values whole{text("7"), text("Anna"), text("Lee"), text("raw"), null};
    const Values old{text("7"), text("Eve"), text("Lee"), text("raw"), null};
    CHECK(made(both, update(people, whole)) == "A**a.L*e");
    // Its own value is TOAST, and is made again.
    CHECK(made(both, update(people, {text("7"), text("Anna"), text("Lee"), toast, null})) == "A**a.L*e");
    // What is unchanged is in the old row.
    CHECK(made(both, update(full, {text("7"), text("Anna"), toast, text("raw"), null}, OldRow::full, old), full) ==
          "A**a.L*e");
    const auto stopped = [&](const Values& row) { return error_of([&] { made(both, update(people, row)); }); };
    CHECK(contains(stopped({text("7"), text("Anna"), toast, text("raw"), null}),
                   "did not touch a column of the template"));
    CHECK(contains(stopped({text("7"), toast, toast, text("raw"), null}), "REPLICA IDENTITY FULL"));
    CHECK(made(both, update(people, {text("7"), toast, toast, toast, null})) == "unchanged");
}

TEST_CASE("an old row has the template's value as it was") {
    const Values now{text("7"), text("Anna"), text("Lee"), text("raw"), null};
    const Values old{text("7"), text("Eve"), text("Lee"), text("was"), null};
    Change change = update(full, now, OldRow::full, old);
    Arena arena;
    REQUIRE(load(file_with("{first}.{last}", mask_both))->compile(full)->apply(change, arena));
    CHECK(change.old_row[3].text() == "E*e.L*e");
    CHECK(change.new_row[3].text() == "A**a.L*e");
    Change gone = del(full, OldRow::full, old);
    REQUIRE(load(file_with("{first}.{last}", mask_both))->compile(full)->apply(gone, arena));
    CHECK(gone.old_row[3].text() == "E*e.L*e");
    const Values key{text("7"), null, null, null, null};
    Change by_key = del(people, OldRow::key, key);
    REQUIRE(load(file_with("{first}.{last}", mask_both))->compile(people)->apply(by_key, arena));
    CHECK(by_key.old_row[3].is_null());
}

TEST_CASE("left out columns and constants of a route move no input of a template") {
    const auto ruleset = load(file_with("{last}-{born|year}", "    - {type: exclude_column, column: first}\n"),
                              "defaults: {columns: {sid: 9}}\ntables: {people: {}}");
    Arena arena;
    const Values whole{text("7"), text("Anna"), text("Lee"), text("raw"), text("1984-05-06")};
    Change change = insert(people, whole);
    REQUIRE(ruleset->compile(people)->apply(change, arena));
    REQUIRE(change.new_row.size() == 5);
    CHECK(values(change.new_row) == Values{text("9"), text("7"), text("Lee"), text("Lee-1984"), text("1984-05-06")});
}

TEST_CASE("a template whose names or functions do not fit is refused at start, with its line") {
    const auto refused = [](const std::string& file) {
        return error_of([&] { static_cast<void>(load(file)->compile(people)); });
    };
    CHECK(contains(refused(file_with("{nick}")), "rules.yaml:3): the table public.people has no column 'nick'"));
    CHECK(contains(refused(file_with("{first|lowr}")), "rules.yaml:3): 'template' calls an unknown function 'lowr'"));
    CHECK(contains(refused(file_with("{first|year}")), "'year' takes a date or timestamp, and 'first' is text"));
    CHECK(contains(refused(file_with("{born|lower|year}")), "'born' is a text by then"));
    CHECK(contains(refused(file_with("{first|before}")), "'before' of 'template' takes a text after a colon"));
    CHECK(contains(refused(file_with("{first|lower:x}")), "'lower' of 'template' takes nothing after a colon"));
    CHECK(contains(refused(file_with("{first|first:x}")), "'first' of 'template' takes a number after a colon"));
    CHECK(contains(refused(file_with("{}")), "braces without a column's name"));
    CHECK(contains(refused(file_with("{email}")), "which is made by a template"));
    CHECK(contains(refused(file_with("{first}", "    - {type: exclude_column, column: first}\n")),
                   "the template reads 'first', which is left out"));
    CHECK(contains(
        refused(file_with("{first}", "    - {type: filter, column: email, parameters: {operator: eq, value: x}}\n")),
        "makes, or a template"));
    CHECK(contains(refused("tables: {people: [{type: transform, column: email, parameters: {type: json, path: $.a, "
                           "transform: {type: template, template: '{first}'}}}]}"),
                   "a template cannot be used inside"));
}

TEST_CASE("a template's value that is too long for its column stops") {
    Relation made_short = *people;
    made_short.columns[3].type_oid = made_short.columns[3].base_oid = varchar_type.oid;
    made_short.columns[3].typmod = 4 + 5;
    const auto table = std::make_shared<const Relation>(made_short);
    const auto ruleset = load(file_with("{first}"));
    Arena arena;
    const Values fits{text("7"), text("Annaé"), null, text("raw"), null};
    Change change = insert(table, fits);
    CHECK(ruleset->compile(table)->apply(change, arena));
    const Values long_row{text("7"), text("Annaéx"), null, text("raw"), null};
    change = insert(table, long_row);
    CHECK(contains(error_of([&] { ruleset->compile(table)->apply(change, arena); }),
                   "longer than the column's 5 characters"));
}

// A target that applies what comes has at any time what the rules make of the source's whole row.
TEST_CASE("after any updates the target has the template's value of the row as it is") {
    std::mt19937 engine(7);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(engine() % bound); };
    const auto ruleset =
        load(file_with("{first|upper}.{last}@{born|year}",
                       mask_both + "    - {type: transform, column: born, parameters: {type: truncate_date, "
                                   "to: year}}\n"));
    const std::vector<std::string> words{"", "Anna", "Eve", "Ömür", "Lee"};
    for (const RelationPtr& table : {people, full}) {
        const auto compiled = ruleset->compile(table);
        std::vector<std::optional<std::string>> source{"7", "Anna", "Lee", "raw", "1984-05-06"};
        std::optional<std::string> target;
        int stops = 0;
        for (int i = 0; i < 3000; ++i) {
            const auto before = source;
            for (const std::size_t c : {1U, 2U, 3U})
                if (below(3) == 0) source[c] = below(6) == 0 ? std::nullopt : std::optional(words[below(5)]);
            if (below(3) == 0) source[4] = below(2) == 0 ? "1984-05-06" : "1999-01-31";
            const auto values_of = [](const auto& row) {
                Values made;
                for (const auto& one : row) made.push_back(one ? text(*one) : null);
                return made;
            };
            Values now = values_of(source);
            for (const std::size_t c : {1U, 2U, 3U})
                if (i > 0 && before[c] && source[c] == before[c] && below(2) == 0) now[c] = toast;
            const Values old = values_of(before);
            Change change =
                i == 0 ? insert(table, now) : update(table, now, table == full ? OldRow::full : OldRow::none, old);
            Arena arena;
            Change all = insert(table, values_of(source));
            const Values whole = values_of(source);
            all.new_row = whole;
            REQUIRE(compiled->apply(all, arena));
            const Value expected = all.new_row[3];
            try {
                const bool passes = compiled->apply(change, arena);
                REQUIRE(passes);
            } catch (const Error&) {
                CHECK(table != full);
                ++stops;
                target = expected.is_null() ? std::nullopt : std::optional(std::string(expected.text()));
                continue;
            }
            const Value& value = change.new_row[3];
            if (!value.is_unchanged())
                target = value.is_null() ? std::nullopt : std::optional(std::string(value.text()));
            CHECK(target == (expected.is_null() ? std::nullopt : std::optional(std::string(expected.text()))));
        }
        CHECK((stops > 0) == (table != full));
    }
}

TEST_CASE("a template of a tsvector is its words, in PostgreSQL's order and with their places") {
    const RelationPtr pages = relation("pages", {column("title", text_type), column("words", {3614, "tsvector"})});
    const auto ruleset = load(
        "tables: {pages: [{type: transform, column: title, parameters: {type: truncate, length: 24}}, {type: "
        "transform, column: words, parameters: {type: template, template: '{title} (about {title})'}}]}");
    const Values row{text("It's THE zoo, Ömür 7 - it! raw"), text("'raw':1")};
    Change change = insert(pages, row);
    Arena arena;
    REQUIRE(ruleset->compile(pages)->apply(change, arena));
    CHECK(change.new_row[0].text() == "It's THE zoo, Ömür 7 - i");
    CHECK(change.new_row[1].text() ==
          "'7':6,14 'about':8 'i':7,15 'it':1,9 's':2,10 'the':3,11 'zoo':4,12 'Ömür':5,13");
}
