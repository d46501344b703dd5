// What two starts' rules are compared by.
#include <doctest/doctest.h>

#include <cstdlib>

#include "stream/group/delivered_rules.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

using Texts = std::vector<std::string>;

const RelationPtr users = relation("users", {column("id", integer_type, true), column("email", text_type),
                                             column("age", integer_type), column("doc", jsonb_type)});

DeliveredRules meaning(const std::string& rules, const std::string& routing = {}) {
    return load(rules, routing)->meaning(users);
}
DeliveredRules of(const std::string& rule) { return meaning("tables: {users: [" + rule + "]}"); }

std::string transform(const std::string& parameters, const std::string& more = {}) {
    return "{type: transform, column: email, parameters: {" + parameters + "}" + more + "}";
}

Texts differ(const DeliveredRules& a, const DeliveredRules& b) { return differences(a, b); }

}  // namespace

TEST_CASE("a table without rules differs from one with any") {
    const DeliveredRules none = meaning("");
    CHECK(differ(none, meaning("")).empty());
    CHECK(differ(none, of("{type: keep, column: email}")).empty());
    CHECK(differ(none, meaning("tables: {orders: [{type: exclude_column, column: email}]}")).empty());
    CHECK(differ(none, of(transform("type: mask"))) == Texts{"column 'email'"});
    CHECK(differ(none, of("{type: exclude_column, column: doc}")) == Texts{"column 'doc'"});
    CHECK(differ(none, of("{type: filter, column: age, parameters: {operator: gte, value: 18}}")) ==
          Texts{"the filter on 'age'"});
    CHECK(differ(none, meaning("", "users: {destination_table: people}")) == Texts{"the target"});
    CHECK(differ(none, meaning("", "users: {replicate: false}")) == Texts{"the target"});
    CHECK(differ(none, meaning("", "users: {operations: [INSERT]}")) == Texts{"the operations"});
    CHECK(differ(none, meaning("", "users: {column_mappings: [{source: email, destination: mail}]}")) ==
          Texts{"column 'email'"});
}

TEST_CASE("what no longer hides, of a table that lost its entry") {
    const DeliveredRules none = meaning("");
    const DeliveredRules redacted = of(transform("type: redact"));
    const DeliveredRules excluded = of("{type: exclude_column, column: email}");
    CHECK(no_longer_hidden(redacted, redacted).empty());
    CHECK(no_longer_hidden(none, redacted).empty());
    CHECK(no_longer_hidden(redacted, excluded).empty());
    CHECK(no_longer_hidden(redacted, none) == Texts{"column 'email'"});
    CHECK(no_longer_hidden(excluded, redacted) == Texts{"column 'email'"});
    CHECK(no_longer_hidden(redacted, of(transform("type: mask"))) == Texts{"column 'email'"});
    CHECK(no_longer_hidden(of("{type: filter, column: age, parameters: {operator: gte, value: 18}}"), none) ==
          Texts{"the filter on 'age'"});
    CHECK(no_longer_hidden(meaning("", "users: {replicate: false}"), none) == Texts{"the target"});
    CHECK(no_longer_hidden(none, meaning("", "users: {destination_table: people}")).empty());
    CHECK(no_longer_hidden(meaning("", "users: {operations: [INSERT]}"), none) == Texts{"the operations"});

    DeliveredRules mixed = redacted;
    mixed.mixed = true;
    CHECK(no_longer_hidden(mixed, none) == Texts{"column 'email'"});
    const DeliveredRules before{"public.users", "", "", false, {{2, "email", "a", ""}}};
    const DeliveredRules renamed{"public.users", "", "", false, {{2, "mail", "", ""}}};
    CHECK(no_longer_hidden(before, renamed) == Texts{"column 'mail'"});
}

TEST_CASE("each parameter of a rule counts") {
    setenv("MEANING_A", "secret one", 1);
    setenv("MEANING_B", "secret two", 1);
    const Texts variants{
        transform("type: mask"),
        transform("type: mask, mask_char: x"),
        transform("type: mask", ", operations: [INSERT, UPDATE]"),
        transform("type: redact"),
        transform("type: redact, length: 9"),
        transform("type: truncate, length: 9"),
        transform("type: 'null'"),
        transform("type: constant, value: a"),
        transform("type: constant, value: b"),
        transform("type: regex, pattern: a, replace: b"),
        transform("type: regex, pattern: a, replace: c"),
        transform("type: regex, pattern: '(a)', replace: '$1'"),
        transform("type: hash, secret_env: MEANING_A"),
        transform("type: hash, secret_env: MEANING_B"),
        transform("type: hash, secret_env: MEANING_A, length: 32"),
        transform("type: mask") + "," + transform("type: redact"),
        transform("type: redact") + "," + transform("type: mask"),
        "{type: exclude_column, column: email}",
    };
    for (const std::string& one : variants) {
        for (const std::string& other : variants) {
            CAPTURE(one);
            CAPTURE(other);
            CHECK(differ(of(one), of(other)).empty() == (one == other));
        }
    }
    const auto json = [](const std::string& inner) {
        return of("{type: transform, column: doc, parameters: {type: json, path: $.a, transform: {" + inner + "}}}");
    };
    CHECK(differ(json("type: hash, secret_env: MEANING_A"), json("type: hash, secret_env: MEANING_B")) ==
          Texts{"column 'doc'"});
}

TEST_CASE("each part of a filter counts") {
    const auto filter = [](const std::string& parameters, const std::string& more = {}) {
        return "{type: filter, column: age, parameters: {" + parameters + "}" + more + "}";
    };
    const Texts variants{
        filter("operator: gte, value: 18"),
        filter("operator: gte, value: 21"),
        filter("operator: lte, value: 18"),
        filter("operator: in, value: [18, 21]"),
        filter("operator: in, value: [1821]"),
        filter("operator: is_null"),
        filter("operator: gte, value: 18", ", operations: [INSERT]"),
        filter("operator: gte, value: 18", ", allow_empty_deletes: true"),
        "{type: transform, column: age, parameters: {type: 'null'}}," + filter("operator: gte, value: 18"),
        filter("operator: gte, value: 18") + ",{type: transform, column: age, parameters: {type: 'null'}}",
    };
    for (const std::string& one : variants) {
        for (const std::string& other : variants) {
            CAPTURE(one);
            CAPTURE(other);
            CHECK(differ(of(one), of(other)).empty() == (one == other));
        }
    }
}

TEST_CASE("each part of a history counts") {
    const auto history = [](const std::string& parts) {
        return meaning("", "users: {mode: history, history: {" + parts + "}}");
    };
    const Texts variants{
        "valid_from: since", "valid_to: until",  "deleted: gone",
        "first: 1900-01-01", "open: 9999-01-01", "versions: change",
    };
    for (const std::string& one : variants) {
        CAPTURE(one);
        CHECK(differ(history("versions: transaction"), history(one)) == Texts{"the target"});
    }
    CHECK(differ(history("versions: transaction"), history("valid_to: valid_to")).empty());
}

TEST_CASE("what does not change rows is no difference") {
    CHECK(differ(of(transform("type: mask")), of(transform("type: mask, mask_char: '*'"))).empty());
    CHECK(differ(of(transform("type: mask")), of(transform("type: mask", ", allow_uniqueness_loss: true"))).empty());
    CHECK(differ(of(transform("type: mask") + ",{type: exclude_column, column: doc}"),
                 of("{type: exclude_column, column: doc}," + transform("type: mask")))
              .empty());
}

TEST_CASE("a column is known by its number, and one that either does not have is no difference") {
    DeliveredRules before{
        "public.users", "", "", false, {{1, "id", "", ""}, {2, "email", "a", ""}, {3, "gone", "b", ""}}};
    DeliveredRules now{"public.users", "", "", false, {{1, "id", "", ""}, {2, "mail", "a", ""}, {4, "added", "c", ""}}};
    CHECK(differ(before, now).empty());
    now.columns[1].rules = "b";
    CHECK(differ(before, now).empty());                     // renamed: the schema history's to judge
    for (auto& column : before.columns) column.number = 0;  // an older replicator's
    CHECK(differ(before, now).empty());
    now.columns[1].name = "email";
    CHECK(differ(before, now) == Texts{"column 'email'"});
    before.mixed = true;
    CHECK_FALSE(differ(before, before).empty());
}

TEST_CASE("what two workers noted of a table is mixed where it differs, and has the columns of both otherwise") {
    const DeliveredRules one{"public.users", "", "", false, {{1, "id", "", ""}, {2, "email", "a", ""}}};
    DeliveredRules other{"public.users", "", "", false, {{1, "id", "", ""}, {3, "added", "b", ""}}};
    const DeliveredRules both = of_both(one, other);
    CHECK_FALSE(both.mixed);
    CHECK(both.columns == std::vector<DeliveredColumn>{one.columns[0], one.columns[1], other.columns[1]});
    CHECK_FALSE(of_both(one, one).mixed);
    other.columns[0].filters = "c";
    CHECK(of_both(one, other).mixed);
    other = one;
    other.columns[1] = {2, "mail", "", ""};  // renamed
    CHECK(of_both(one, other).mixed);
    CHECK(of_both(other, one).mixed);
    other = one;
    other.mixed = true;
    CHECK(of_both(one, other).mixed);
    CHECK(of_both(other, one).mixed);
    DeliveredRules former = one;
    former.came_as = {"public.all", "public.some"};
    CHECK(of_both(one, former).came_as.empty());
    CHECK(of_both(former, former).came_as == former.came_as);

    const std::map<Oid, std::string> first{{0, encode_reloads(2)}, {7, encode(one)}};
    const std::map<Oid, std::string> second{{0, encode_reloads(3)}, {7, encode(one)}, {8, encode(other)}};
    CHECK(of_both(first, second) == second);
    CHECK(of_both(second, first) == second);
    CHECK(of_both({}, first) == first);
    CHECK(decode_delivered_rules(of_both({{7, encode(other)}}, first).at(7)).mixed);
}

TEST_CASE("rules of the name that a table came under before") {
    const auto as = [](const std::string& rules, const std::string& name) {
        return load(rules)->meaning_as(users, {"public", name});
    };
    const std::string hides = "tables: {all: [{type: exclude_column, column: email}]}";
    CHECK(no_longer_hidden(as(hides, "all"), load(hides)->meaning(users)) == Texts{"column 'email'"});
    CHECK(no_longer_hidden(as(hides, "other"), load(hides)->meaning(users)).empty());
    const auto former = as("tables: {all: [{type: exclude_column, column: name}]}", "all");
    CHECK(former.columns.back().name == "name");
    CHECK(former.columns.back().rules == "excluded");
    CHECK(as("tables: {all: [{type: exclude_column, column: name, was: email}]}", "all").columns[1].rules ==
          "excluded");
}

TEST_CASE("a note of rules is read as it was written") {
    DeliveredRules rules{
        "public.users", "crm.people", "insert", true, {{1, "id", "", ""}, {0, "e\"mail", "excluded", "00ff"}}};
    CHECK(decode_delivered_rules(encode(rules)) == rules);
    rules.came_as = {"public.all", "public.a\"b"};
    CHECK(decode_delivered_rules(encode(rules)) == rules);
    CHECK_THROWS_AS(decode_delivered_rules("{}"), Error);
    CHECK(encode_reloads(0) == "{}");
    for (const std::uint64_t reloads : {0U, 3U}) CHECK(reloads_in({{0, encode_reloads(reloads)}}) == reloads);
    CHECK(reloads_in({}) == 0);
    CHECK_THROWS_AS(reloads_in({{0, R"({"reloads":"x"})"}}), Error);
    CHECK_THROWS_AS(decode_delivered_rules("not json"), Error);
}
