// A suggested rules file: accepted by the reader, hides what was found, and says no value.
#include "rules/personal/suggestion.h"

#include <doctest/doctest.h>

#include "rules/named_columns.h"
#include "rules/rules_files.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using rules::ColumnFacts;
using rules::SampledTable;
using rules::Suggestion;
using test::contains;

namespace {

using Columns = std::vector<std::vector<Value>>;

SampledTable sampled(const RelationPtr& relation, Columns values = {}) {
    values.resize(relation->columns.size());
    return {relation, std::vector<ColumnFacts>(relation->columns.size()), std::move(values)};
}

std::string suggested(const SampledTable& table) {
    Suggestion suggestion(1000);
    suggestion.add(table);
    return suggestion.text();
}

struct Secret {
    Secret() { setenv("PGSLUICE_RULES_SECRET", "a secret of the test", 1); }
    ~Secret() { unsetenv("PGSLUICE_RULES_SECRET"); }
};

}  // namespace

TEST_CASE("what is found by name is hidden by what fits the column, the rest is kept") {
    const auto users =
        relation("users", {column("id", bigint_type, true), column("email", text_type), column("name", text_type),
                           column("born", date_type), column("phone", bigint_type), column("plan", text_type)});
    const std::string text = suggested(sampled(users));
    CHECK(contains(text, "mode: strict"));
    CHECK(contains(text, "{type: transform, column: email, parameters: {type: email}}"));
    CHECK(contains(text, "{type: transform, column: name, parameters: {type: name}}"));
    CHECK(contains(text, "{type: transform, column: born, parameters: {type: date_of_birth}}"));
    CHECK(contains(text, "{type: transform, column: phone, parameters: {type: integer,"));
    CHECK(contains(text, "{type: keep, columns: [id, plan]}"));
    const Secret secret;
    CHECK(load(text)->compile(users) != nullptr);
}

TEST_CASE("a unique column gets what keeps it unique, and a key that nothing fits is left to decide") {
    const auto users =
        unique_column(relation("users", {column("ssn", bigint_type, true), column("name", text_type)}), "name");
    Suggestion suggestion(1000);
    suggestion.add(sampled(users));
    CHECK(contains(suggestion.text(), "{type: transform, column: name, parameters: {type: hash, length: 32}}"));
    CHECK(suggestion.undecided() == std::vector<std::string>{"public.users.ssn"});
    CHECK(contains(suggestion.text(), "# DECIDE: a social security number: its name or type."));
    const Secret secret;
    CHECK_THROWS_AS(static_cast<void>(load(suggestion.text())->compile(users)), Error);  // until somebody decides
}

TEST_CASE("values say what a name does not, and are not in the file") {
    const auto things = relation("things", {column("id", integer_type, true), column("c1", text_type),
                                            column("c2", text_type), column("c3", text_type)});
    const std::string text = suggested(sampled(things, {{},
                                                        {Value("canary@example.com"), Value("other@example.com")},
                                                        {Value("DE89370400440532013000")},
                                                        {Value("call canary2@example.com"), Value("x")}}));
    CHECK(contains(text, "# an e-mail address: 2 of 2 different values\n"));
    CHECK(contains(text, "{type: transform, column: c2, parameters: {type: iban}}"));
    CHECK(contains(text, "{type: transform, column: c3, parameters: {type: redact}}"));
    CHECK_FALSE(contains(text, "canary"));
    CHECK_FALSE(contains(text, "DE89"));
}

TEST_CASE("JSON is looked at path by path; names that may be data are not said") {
    const auto docs = relation("docs", {column("id", integer_type, true), column("doc", jsonb_type)});
    const std::string one = R"({"contact": {"email": "canary@example.com", "zip code": "10115"}, "tags": ["a"]})";
    const std::string two = R"({"contact": {"email": "b@example.com"}, "home": [{"street": "Elm Street 7"}]})";
    const std::string text = suggested(sampled(docs, {{}, {Value(one), Value(one), Value(two), Value(two)}}));
    CHECK(contains(text, R"({type: json, path: "$.contact.email", transform: {type: email}})"));
    CHECK(contains(text, R"({type: json, path: "$.home[*].street", transform: {type: street_address}})"));
    CHECK_FALSE(contains(text, "canary"));
    const Secret secret;
    CHECK(load(text)->compile(docs) != nullptr);

    const std::string keyed = R"({"canary@example.com": 7})";
    const std::string whole = suggested(sampled(docs, {{}, {Value(keyed), Value(keyed)}}));
    CHECK(contains(whole, "{type: transform, column: doc, parameters: {type: constant, value: '{}'}}"));
    CHECK_FALSE(contains(whole, "canary"));
}

TEST_CASE("labels and comments count, and are not quoted") {
    const auto things = relation("things", {column("a", text_type), column("b", text_type), column("c", text_type)});
    SampledTable table = sampled(things);
    table.facts[0].label = "MASKED WITH FUNCTION anon.fake_email()";
    table.facts[1].comment = "PII of canary";
    table.facts[2].label = "NOT MASKED";
    const std::string text = suggested(table);
    CHECK(contains(text, "# an e-mail address: its label for anon\n      - {type: transform, column: a"));
    CHECK(contains(text, "# personal data: its comment\n      - {type: transform, column: b"));
    CHECK(contains(text, "{type: keep, columns: [c]}"));
    CHECK_FALSE(contains(text, "canary"));
}

TEST_CASE("names of any kind are written so that they are read as they are") {
    for (const std::string name :
         {"e-mail", "email \"x\"", "on", "null", "email\\", "e\nmail", "email: {", "#email", "é mail"}) {
        CAPTURE(name);
        Relation odd = *relation("users", {column("id", integer_type, true), column(name, text_type)});
        odd.schema = "my.schema";
        odd.table = "us\"ers";
        const auto table = std::make_shared<const Relation>(odd);
        const Secret secret;
        const std::string text = suggested(sampled(table));
        CAPTURE(text);
        CHECK(load(text)->compile(table) != nullptr);
    }
}

TEST_CASE("columns that no rule names are listed, with what they look like") {
    const auto users = relation("users", {column("id", integer_type, true), column("email", text_type),
                                          column("phone", text_type), column("plan", text_type)});
    const TextFile file(
        "tables: {users: {mode: strict, rules: [{type: keep, column: id}, {type: transform, column: email, "
        "parameters: {type: mask}}]}}");
    const RulesFiles files = read_rules_files({file.path(), ""});
    const auto unnamed = rules::unnamed_columns(files.rules, files.routes, *users);
    REQUIRE(unnamed.size() == 2);
    CHECK(unnamed[0].name == "phone");
    CHECK(unnamed[0].looks_like == rules::PersonalKind::phone);
    CHECK(unnamed[0].strict);
    CHECK(unnamed[1].name == "plan");
    CHECK(unnamed[1].looks_like == rules::PersonalKind::none);
    const auto others = rules::unnamed_columns(files.rules, files.routes, *relation("other", {column("a", text_type)}));
    REQUIRE(others.size() == 1);
    CHECK_FALSE(others[0].strict);
}

TEST_CASE(
    "an open file that hides something warns of columns that look personal and pass; a strict one says what it may "
    "be") {
    const auto users = relation("users", {column("id", integer_type, true), column("email", text_type),
                                          column("phone", text_type), column("plan", text_type)});
    const std::string mask = "{type: transform, column: email, parameters: {type: mask}}";
    const auto warnings = [&](const std::string& rules) { return load(rules)->compile(users)->warnings(); };
    const auto warned = warnings("tables: {users: [" + mask + "]}");
    REQUIRE(warned.size() == 1);
    CHECK(contains(warned[0],
                   "of public.users, which look personal by their names and types: 'phone' (a telephone number)"));
    CHECK(warnings("tables: {users: [" + mask + ", {type: keep, column: phone}]}").empty());
    CHECK(warnings("tables: {users: [{type: filter, column: plan, allow_empty_deletes: true, parameters: {operator: "
                   "eq, value: a}}]}")
              .empty());
    try {
        static_cast<void>(
            load("mode: strict\ntables: {users: [{type: keep, columns: [id, plan]}, " + mask + "]}")->compile(users));
        FAIL("it is refused");
    } catch (const Error& error) {
        CHECK(contains(error.hint(), "By its name and type it may be a telephone number."));
    }
}

TEST_CASE("columns that refer to one another go by one rule, wherever something was found") {
    const auto people = relation("people", {column("code", text_type, true), column("plan", text_type, true)});
    const auto posts = relation("posts", {column("id", integer_type, true), column("author", text_type),
                                          column("plan", text_type), column("short", varchar_type)});
    const QualifiedName of_people{"public", "people"};
    const QualifiedName of_posts{"public", "posts"};
    const std::vector<ColumnReference> references{{of_posts, "author", of_people, "code"},
                                                  {of_posts, "plan", of_people, "plan"},
                                                  {of_posts, "short", of_people, "code", false}};
    const std::vector<RelationPtr> tables{people, posts};
    std::vector<rules::ExaminedTable> examined{
        Suggestion::examine(sampled(people)),
        Suggestion::examine(sampled(posts, {{}, {Value("canary@example.com"), Value("other@example.com")}, {}, {}}))};
    share_findings(examined, rules::ReferenceGraph(references, tables));
    Suggestion suggestion(1000);
    for (const auto& table : examined) suggestion.add(table);
    const std::string text = suggestion.text();
    CAPTURE(text);
    CHECK(contains(text, "in public.posts.author that refers to it\n      - {type: transform, column: code, "));
    CHECK(contains(text, "      # author: the rules of public.people.code, to which it refers\n"));
    CHECK(contains(text, "      - {type: transform, allow_key_mismatch: true, column: short, "));
    CHECK(contains(text, "{type: keep, columns: [plan]}"));
    CHECK(contains(text, "{type: keep, columns: [id, plan]}"));
    const Secret secret;
    const auto ruleset = load(text);
    ruleset->refer({references, tables});
    CHECK(ruleset->compile(people) != nullptr);
    CHECK(ruleset->compile(posts) != nullptr);
}

TEST_CASE("names in comments begin no line of their own") {
    const auto users = relation("users", {column("id", bigint_type, true), column("email", text_type)});
    const std::string evil = "public.x\n      - {type: keep, column: email}\n#.id";
    rules::ExaminedTable table{users, std::vector<ColumnFacts>(2), {}};
    table.columns.push_back({{}, evil});
    table.columns.push_back({{{rules::PersonalKind::email, "", "its name, in " + evil + " that refers to it"}}});
    Suggestion suggestion(1000);
    suggestion.add(table);
    CHECK_FALSE(contains(suggestion.text(), "\n      - {type: keep"));
    CHECK(contains(suggestion.text(), "# id: the rules of public.x\\n      - {type: keep, column: email}\\n#.id"));
}
