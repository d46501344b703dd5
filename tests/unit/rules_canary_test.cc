// Secrets in hidden columns: no change, description, warning or error may carry one, whatever the operation.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

constexpr const char* canary_text = "canary";
const Value secret_value("xcanaryx");
const Value secret_json(R"({"deep": [{"secret": "canary-1"}, "canary-2"], "x\u0063": "canary-3", "n": 1})");

RelationPtr people(ReplicaIdentity identity) {
    return relation("people",
                    {column("id", text_type, true), column("masked", text_type), column("redacted", varchar_type),
                     column("gone", text_type), column("nulled", text_type), column("fixed", text_type),
                     column("hashed", text_type), column("replaced", text_type), column("cut", text_type),
                     column("doc", jsonb_type), column("age", integer_type), column("mail", text_type),
                     column("phone", text_type), column("born", date_type)},
                    identity);
}

std::string rules_text(const std::string& secret_file) {
    return R"(
tables:
  people:
    - {type: transform, column: id, parameters: {type: hash, secret_file: )" +
           secret_file + R"(}}
    - {type: transform, column: masked, parameters: {type: mask}}
    - {type: transform, column: redacted, parameters: {type: redact}}
    - {type: exclude_column, column: gone}
    - {type: transform, column: nulled, parameters: {type: 'null'}}
    - {type: transform, column: fixed, parameters: {type: constant, value: none}}
    - {type: transform, column: hashed, parameters: {type: hash, length: 16, secret_file: )" +
           secret_file + R"(}}
    - {type: transform, column: replaced, parameters: {type: regex, pattern: '[a-z]', replace: '.'}}
    - {type: transform, column: cut, parameters: {type: truncate, length: 1}}
    - {type: transform, column: doc, parameters: {type: json, paths: [$.deep, $.xc], transform: {type: mask}}}
    - {type: transform, column: mail, parameters: {type: email, keep_domain: true, secret_file: )" +
           secret_file + R"(}}
    - {type: transform, column: phone, parameters: {type: phone, secret_file: )" +
           secret_file + R"(}}
    - {type: transform, column: born, parameters: {type: shift, days: 9, by: id, secret_file: )" +
           secret_file + R"(}}
    - {type: filter, column: age, parameters: {operator: gte, value: 18}, allow_empty_deletes: true}
)";
}

Values person(const char* id, const char* age) {
    return {text(id),     secret_value, secret_value, secret_value, secret_value, secret_value, secret_value,
            secret_value, secret_value, secret_json,  text(age),    secret_value, secret_value, text("1984-05-06")};
}

Values key_of(const char* id) {
    Values key(14);
    key[0] = text(id);
    return key;
}

bool leaks(const std::string& found) { return found.find(canary_text) != std::string::npos; }

bool leaks(Row row) {
    return std::any_of(row.begin(), row.end(), [](const Value& value) { return leaks(std::string(value.text())); });
}

// Whether the change passed; either way nothing of it may show.
bool apply_unseen(const CompiledRules& compiled, Change change) {
    Arena arena;
    if (!compiled.apply(change, arena)) return false;
    CHECK_FALSE(leaks(change.new_row));
    CHECK_FALSE(leaks(change.old_row));
    CHECK(change.new_row.size() + change.old_row.size() > 0);
    return true;
}

}  // namespace

TEST_CASE("no secret passes, by any operation") {
    const TextFile secret("canary-of-the-hash", "secret");
    const auto ruleset = load(rules_text(secret.path()));
    const RelationPtr by_key = people(ReplicaIdentity::default_key);
    const RelationPtr full = people(ReplicaIdentity::full);
    const Values adult = person("canary-id", "18");
    const Values other = person("canary-ie", "18");
    const Values child = person("canary-id", "17");
    const Values key = key_of("canary-old");
    for (const bool is_full : {false, true}) {
        const RelationPtr& table = is_full ? full : by_key;
        const auto compiled = ruleset->compile(table);
        for (const auto& line : compiled->describe()) CHECK_FALSE(leaks(line));
        for (const auto& line : compiled->warnings()) CHECK_FALSE(leaks(line));
        const OldRow kind = is_full ? OldRow::full : OldRow::key;
        Change copied = insert(table, adult);
        copied.snapshot = true;
        CHECK(apply_unseen(*compiled, copied));
        CHECK(apply_unseen(*compiled, insert(table, adult)));
        CHECK_FALSE(apply_unseen(*compiled, insert(table, child)));
        CHECK(apply_unseen(*compiled, update(table, adult, kind, is_full ? adult : key)));
        CHECK(apply_unseen(*compiled, update(table, adult, kind, is_full ? other : key)));
        CHECK(apply_unseen(*compiled, update(table, adult, kind, is_full ? child : key)));
        CHECK(apply_unseen(*compiled, update(table, child, kind, is_full ? adult : key)));
        CHECK(apply_unseen(*compiled, del(table, kind, is_full ? adult : key)));
        if (is_full) continue;
        CHECK(apply_unseen(*compiled, update(table, adult)));
        CHECK(apply_unseen(*compiled, update(table, child)));
    }
}

TEST_CASE("a row that fails shows nothing in the error") {
    const TextFile secret("canary-of-the-hash", "secret");
    const RelationPtr table = people(ReplicaIdentity::default_key);
    const auto compiled = load(rules_text(secret.path()))->compile(table);
    for (const auto& [index, bad] : {std::pair<std::size_t, const char*>{1, "canary\xff"},
                                     {7, "\xc3(canary"},
                                     {8, "canary\xed\xa0\x80"},
                                     {9, "{\"deep\": \"canary"},
                                     {10, "canary"},
                                     {12, "canary\xff"},
                                     {13, "canary"}}) {
        Values row = person("canary-id", "18");
        row[index] = text(bad);
        const std::string error = error_of([&] { (void)apply_unseen(*compiled, insert(table, row)); });
        CHECK(error.find("unable to apply rule") == 0);
        CHECK_FALSE(leaks(error));
    }
}

TEST_CASE("a change that fails is left without its rows rewritten in part") {
    const RelationPtr table =
        relation("t", {column("id", integer_type, true), column("a", text_type), column("b", text_type)});
    const auto compiled = load(
                              "tables: {t: [{type: transform, column: a, parameters: {type: mask}}, "
                              "{type: transform, column: b, parameters: {type: mask}}]}")
                              ->compile(table);
    const Values row{text("1"), text("abc"), text("\xff")};
    Change change = insert(table, row);
    Arena arena;
    CHECK_THROWS_AS(compiled->apply(change, arena), Error);
    CHECK(change.new_row.data() == row.data());
    CHECK(change.relation == table.get());
}
