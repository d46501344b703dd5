// Samples of rows: which values are kept, what tables inherit that refer to sampled ones, and what is refused.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "rules/check.h"
#include "stream/group/references.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using test::contains;

namespace {

const RelationPtr customers = relation("customers", {column("id", integer_type, true), column("name", text_type)});
const RelationPtr orders = relation(
    "orders", {column("customer_id", bigint_type, true), column("no", integer_type, true), column("note", text_type)});
const RelationPtr items = relation("items", {column("customer_id", integer_type, true),
                                             column("order_no", integer_type, true), column("note", text_type)});
const RelationPtr transfers = relation(
    "transfers", {column("id", integer_type, true), column("source", integer_type), column("target", integer_type)});
const std::vector<RelationPtr> shop{customers, orders, items, transfers};

ColumnReference refers(const std::string& table, const std::string& column, const std::string& to_table,
                       const std::string& to_column, const std::string& constraint) {
    return {{"public", table}, column, {"public", to_table}, to_column, true, constraint};
}
const std::vector<ColumnReference> shop_keys{refers("orders", "customer_id", "customers", "id", "of_customer"),
                                             refers("items", "customer_id", "orders", "customer_id", "of_order"),
                                             refers("items", "order_no", "orders", "no", "of_order"),
                                             refers("transfers", "source", "customers", "id", "from_one"),
                                             refers("transfers", "target", "customers", "id", "to_other")};

std::string sample(const std::string& parameters, const std::string& more = "", const std::string& secret = "one") {
    setenv("PGSLUICE_SAMPLE_SECRET", secret.c_str(), 1);
    return "secret_env: PGSLUICE_SAMPLE_SECRET\ntables:\n  customers: [{type: sample, column: id, parameters: {" +
           parameters + "}}]\n" + more;
}

std::unique_ptr<Ruleset> with_keys(const std::string& rules, std::vector<ColumnReference> references = shop_keys,
                                   std::vector<RelationPtr> tables = shop, const std::string& routing = "") {
    auto ruleset = load(rules, routing);
    ruleset->refer({std::move(references), std::move(tables)});
    return ruleset;
}

bool keeps(const Ruleset& ruleset, const RelationPtr& table, Values row) {
    Change change = insert(table, row);
    Arena arena;
    return ruleset.compile(table)->apply(change, arena);
}

// Of the customers 1 to 1000.
std::vector<int> kept(const Ruleset& ruleset) {
    std::vector<int> found;
    for (int id = 1; id <= 1000; ++id)
        if (keeps(ruleset, customers, {text(std::to_string(id)), null})) found.push_back(id);
    return found;
}

std::string refusal(const RelationPtr& table, const std::string& rules,
                    std::vector<ColumnReference> references = shop_keys, std::vector<RelationPtr> tables = shop,
                    const std::string& routing = "") {
    const auto ruleset = with_keys(rules, std::move(references), std::move(tables), routing);
    return error_of([&] { static_cast<void>(ruleset->compile(table)); });
}

}  // namespace

TEST_CASE("a sample keeps the same values always, and others under another secret") {
    const std::vector<int> five = kept(*with_keys(sample("percent: 5")));
    CHECK(five == kept(*with_keys(sample("one_in: 20"))));
    CHECK(five.size() > 30);
    CHECK(five.size() < 75);
    CHECK(five != kept(*with_keys(sample("percent: 5", "", "other"))));
    CHECK(kept(*with_keys(sample("percent: 100"))).size() == 1000);
    // A larger sample holds the smaller one.
    const std::vector<int> ten = kept(*with_keys(sample("percent: 10")));
    CHECK(std::ranges::includes(ten, five));
}

TEST_CASE("a limit is the share of so many rows in what the file says that the table has") {
    CHECK(kept(*with_keys(sample("limit: 50, of: 1000"))) == kept(*with_keys(sample("percent: 5"))));
    CHECK(kept(*with_keys(sample("limit: 1, of: 20"))) == kept(*with_keys(sample("one_in: 20"))));
    CHECK(kept(*with_keys(sample("limit: 1000, of: 1000"))).size() == 1000);
    CHECK(kept(*with_keys(sample("limit: 2000, of: 1000"))).size() == 1000);
    // Numbers whose product with 2^64 takes more than 128 bits.
    const std::string large = "limit: 9000000000000000000, of: 18000000000000000000";
    CHECK(kept(*with_keys(sample(large))) == kept(*with_keys(sample("one_in: 2"))));
    CHECK(kept(*with_keys(sample("limit: 1, of: 18000000000000000000"))).empty());
    const std::vector<int> some = kept(*with_keys(sample("limit: 100, of: 1000")));
    CHECK(some.size() > 70);
    CHECK(some.size() < 130);
    const auto compiled = with_keys(sample("limit: 100, of: 1000"))->compile(customers);
    std::string described;
    for (const std::string& line : compiled->describe()) described += line;
    CHECK(contains(described, "only rows where id is of a sample of about 100 of 1000 rows"));
}

TEST_CASE("which values a sample keeps does not change with the build") {
    std::string found;
    for (const int id : kept(*with_keys(sample("percent: 1.5")))) found += fmt::format("{} ", id);
    // Of Python's hmac module.
    CHECK(found == "69 96 203 278 341 394 417 434 445 497 657 688 724 744 753 756 772 782 917 938 968 ");
}

TEST_CASE("equal values of a key are of one text") {
    const RelationPtr prices = relation("customers", {column("id", numeric_type, true)});
    const auto ruleset = with_keys(sample("percent: 50"), {}, {prices});
    for (const char* one : {"7", "1", "2", "3", "4"}) {
        const bool is_kept = keeps(*ruleset, prices, {text(one)});
        for (const char* zeros : {".0", ".00"})
            CHECK(keeps(*ruleset, prices, {text(std::string(one) + zeros)}) == is_kept);
    }
    CHECK(contains(refusal(relation("customers", {column("id", double_type, true)}), sample("percent: 50"), {}),
                   "it takes integers, numeric, text, uuid, date or bytea, but the column is double precision"));
    CHECK(contains(
        refusal(relation("customers", {column("id", {4711, "public.citext"}, true)}), sample("percent: 5"), {}),
        "the column is public.citext"));
}

TEST_CASE("a row is kept if what it refers to is, over several keys and columns, and NULL refers to nothing") {
    const auto ruleset = with_keys(sample("percent: 40"));
    const auto is_kept = [&](int id) { return keeps(*ruleset, customers, {text(std::to_string(id)), null}); };
    int both = 0;
    for (int id = 1; id <= 100; ++id) {
        const std::string one = std::to_string(id);
        const std::string other = std::to_string(id + 1);
        CHECK(keeps(*ruleset, orders, {text(one), text("1"), null}) == is_kept(id));
        CHECK(keeps(*ruleset, items, {text(one), text(other), null}) == is_kept(id));
        CHECK(keeps(*ruleset, transfers, {text("1"), text(one), text(other)}) == (is_kept(id) && is_kept(id + 1)));
        CHECK(keeps(*ruleset, transfers, {text("1"), null, text(one)}) == is_kept(id));
        both += is_kept(id) && is_kept(id + 1) ? 1 : 0;
    }
    CHECK(both > 0);
    CHECK(keeps(*ruleset, transfers, {text("1"), null, null}));
}

TEST_CASE("check shows which rows follow which, and warns of none") {
    const auto ruleset = with_keys(sample("percent: 5"));
    std::vector<CheckedTable> tables;
    for (const RelationPtr& table : shop) tables.push_back({table, {}});
    const RulesCheck check = check_rules(*ruleset, tables);
    CHECK(check.problems.empty());
    CHECK(check.warnings.empty());
    CHECK(contains(check.text, "only rows where id is of a sample of 5 percent\n"));
    CHECK(contains(check.text, "only rows where customer_id is of a sample of 5 percent, as public.customers.id\n"));
    CHECK(contains(check.text,
                   "public.items.customer_id -> public.orders.customer_id: no rule; rows are a sample of "
                   "5 percent, as what they refer to\n"));
    CHECK(contains(check.text, "public.items.order_no -> public.orders.no: no rule\n"));
    CHECK(contains(rules_check_json(check), R"("state":"no rule","rules":"","sample":"a sample of 5 percent")"));
}

TEST_CASE("a key that does not hold what the sample judges is refused, with the names of both") {
    const std::vector<ColumnReference> by_number{shop_keys[0],
                                                 refers("items", "order_no", "orders", "no", "items_order")};
    const std::string error = refusal(items, sample("percent: 5"), by_number);
    CHECK(contains(error,
                   "public.items (order_no) refers to public.orders by 'items_order', and rows of "
                   "public.orders are kept by 'customer_id', which the key does not hold"));
    CHECK(contains(error, "HINT: Sample public.orders by 'no' instead, and no longer public.customers.id; or make"));
    CHECK(refusal(orders, sample("percent: 5"), by_number).empty());
    // What need not hold, or is not in the target, is not asked for.
    for (const char* way_out : {"{type: keep, column: order_no, allow_key_mismatch: true}",
                                "{type: transform, column: order_no, parameters: {type: 'null'}, "
                                "allow_uniqueness_loss: true}"}) {
        const std::string more = fmt::format("  items: [{}]\n", way_out);
        CHECK_MESSAGE(refusal(items, sample("percent: 5", more), by_number) == "", way_out);
    }
    // One that is NULL in some rows only must hold in the others.
    const RelationPtr notes = relation("notes", {column("id", integer_type, true), column("order_no", integer_type)});
    const std::string some =
        "  notes: [{type: transform, column: order_no, parameters: {type: 'null'}, when: {column: id, operator: eq, "
        "value: 1}}]\n";
    CHECK(contains(
        refusal(notes, sample("percent: 5", some),
                {shop_keys[0], refers("notes", "order_no", "orders", "no", "notes_order")}, {customers, orders, notes}),
        "public.notes (order_no) refers to public.orders"));
}

TEST_CASE("a table that refers to itself, and two that refer to each other, are refused") {
    const RelationPtr people = relation("customers", {column("id", integer_type, true), column("boss", integer_type)});
    CHECK(contains(
        refusal(people, sample("percent: 5"), {refers("customers", "boss", "customers", "id", "of_boss")}, {people}),
        "rows of public.customers are kept by 'boss', which the key does not hold"));
    const RelationPtr pairs = relation("pairs", {column("id", integer_type, true), column("other", integer_type)});
    CHECK(contains(
        refusal(people, sample("percent: 5"),
                {refers("customers", "boss", "pairs", "id", "a"), refers("pairs", "other", "customers", "id", "b")},
                {people, pairs}),
        "rows of public.pairs are kept by 'other', which the key does not hold"));
}

TEST_CASE("a sampled table does not refer to rows that a filter or a route leaves out") {
    const std::string filter =
        "  orders: [{type: filter, column: note, parameters: {operator: eq, value: x}, allow_empty_deletes: true}]\n";
    CHECK(
        contains(refusal(items, sample("percent: 5", filter)), "a filter or a route leaves rows of public.orders out"));
    CHECK(contains(refusal(items, sample("percent: 5"), shop_keys, shop, "orders: {where: \"note = 'x'\"}"),
                   "a filter or a route leaves rows of public.orders out"));
    CHECK(refusal(items, "tables:\n" + filter).empty());
}

TEST_CASE("a refused sample is taken once its hint is followed") {
    const std::vector<ColumnReference> by_number{shop_keys[0], refers("items", "order_no", "orders", "no", "k")};
    const std::string way_out =
        "Or leave 'order_no' out, make it NULL, or set allow_key_mismatch: true in a rule for it";
    CHECK(contains(refusal(items, sample("percent: 5"), by_number), way_out));
    CHECK(refusal(items, sample("percent: 5", "  items: [{type: keep, column: order_no, allow_key_mismatch: true}]\n"),
                  by_number) == "");
    const std::string in_both = "make 'customer_id' part of the key in both tables.";
    CHECK(contains(refusal(items, sample("percent: 5"), by_number),
                   "Sample public.orders by 'no' instead, and no longer public.customers.id; or " + in_both));
    CHECK(refusal(items, sample("percent: 5")) == "");
    const auto of_orders = [](const std::string& column) {
        return "secret_env: PGSLUICE_SAMPLE_SECRET\ntables: {orders: [{type: sample, column: " + column +
               ", parameters: {percent: 5}}]}";
    };
    CHECK(contains(refusal(items, of_orders("customer_id"), by_number),
                   "Sample public.orders by 'no' instead, or " + in_both));
    CHECK(refusal(items, of_orders("customer_id")) == "");
    CHECK(refusal(items, of_orders("no"), by_number) == "");
    CHECK(refusal(orders, of_orders("no"), by_number) == "");
    // A key of two types, one of which has several texts for a value.
    const auto notes_of = [](ColumnType type) {
        return relation("notes", {column("id", integer_type, true), column("customer", type)});
    };
    const std::vector<ColumnReference> of_note{refers("notes", "customer", "customers", "id", "k")};
    CHECK(contains(refusal(notes_of(double_type), sample("percent: 5"), of_note, {customers, notes_of(double_type)}),
                   "Give both columns one type."));
    CHECK(refusal(notes_of(bigint_type), sample("percent: 5"), of_note, {customers, notes_of(bigint_type)}) == "");
    const std::string filter =
        "  orders: [{type: filter, column: no, parameters: {operator: eq, value: 1}, allow_empty_deletes: true}]\n";
    CHECK(contains(refusal(items, sample("percent: 5", filter)), "Use a sample instead of the filter."));
    CHECK(refusal(items, sample("percent: 5", "  orders: [{type: sample, column: no, parameters: {one_in: 2}}]\n")) ==
          "");
}

TEST_CASE("a partition goes by the sample of its table, and one with rules of its own has it, too") {
    Relation part = *orders;
    part.oid += 1;
    part.table = "orders_1";
    part.ancestors = {{"public", "orders"}};
    const auto orders_1 = std::make_shared<const Relation>(part);
    const std::vector<ColumnReference> keys{shop_keys[0], shop_keys[1], shop_keys[2],
                                            refers("orders_1", "customer_id", "customers", "id", "of_customer")};
    for (const char* more : {"", "  orders_1: [{type: keep, column: note}]\n"}) {
        const auto ruleset = with_keys(sample("percent: 40", more), keys, {customers, orders_1, items});
        for (int id = 1; id <= 30; ++id) {
            const std::string one = std::to_string(id);
            const bool is_kept = keeps(*ruleset, customers, {text(one), null});
            CHECK(keeps(*ruleset, orders_1, {text(one), text("1"), null}) == is_kept);
            CHECK(keeps(*ruleset, items, {text(one), text("1"), null}) == is_kept);
        }
    }
    CHECK(contains(
        refusal(items, sample("percent: 40", "  orders_1: [{type: sample, column: no, parameters: {one_in: 2}}]\n"),
                keys, {customers, orders_1, items}),
        "its partition public.orders_1 is not sampled as it is"));
    CHECK(contains(
        refusal(items, sample("percent: 40", "  orders_1: [{type: sample, column: no, parameters: {one_in: 2}}]\n"),
                keys, {customers, orders_1, items}),
        "Give all partitions the same samples."));
}

TEST_CASE("a sample counts as a rule that rows were delivered under") {
    const auto filters = [](const std::string& rules) { return with_keys(rules)->meaning(orders).columns[0].filters; };
    CHECK(filters(sample("percent: 5")) == filters(sample("one_in: 20")));
    CHECK(filters(sample("percent: 5")) != filters(sample("percent: 6")));
    CHECK(filters(sample("percent: 5")) != filters(sample("percent: 5", "", "other")));
    CHECK_FALSE(filters(sample("percent: 5")).empty());
}

TEST_CASE("what a sample cannot be is refused with its line") {
    const auto refused = [](const std::string& rule) {
        return error_of([&] { load("secret_env: HOME\ntables:\n  t:\n    - " + rule); });
    };
    for (const char* percent : {"0", "-1", "100.1", "x", "1.1234567"})
        CHECK(contains(refused(fmt::format("{{type: sample, column: id, parameters: {{percent: {}}}}}", percent)),
                       "and not a number above 0 and up to 100"));
    for (const char* parameters :
         {"{}", "{percent: 5, one_in: 20}", "{percent: 5, limit: 5, of: 100}", "{one_in: 20, of: 100}", "{of: 100}"})
        CHECK(contains(refused(fmt::format("{{type: sample, column: id, parameters: {}}}", parameters)),
                       "none of 'percent', 'one_in' and 'limit' is there, or more than one"));
    CHECK(contains(refused("{type: sample, column: id, parameters: {limit: 5}}"), "'limit' needs 'of'"));
    for (const char* count : {"0", "-1", "1.5", "x", "99999999999999999999", "''"}) {
        CHECK(contains(refused(fmt::format("{{type: sample, column: id, parameters: {{limit: {}, of: 9}}}}", count)),
                       "and not a number of rows"));
        CHECK(contains(refused(fmt::format("{{type: sample, column: id, parameters: {{limit: 9, of: {}}}}}", count)),
                       "and not a number of rows"));
    }
    CHECK(contains(refused("{type: sample, column: id, parameters: {one_in: 0}}"), "at least 1"));
    CHECK(contains(refused("{type: sample, column: id, parameters: {percent: 5}, operations: [INSERT]}"),
                   "a sample holds for all operations"));
    CHECK(contains(error_of([] { load("tables: {t: [{type: sample, column: id, parameters: {percent: 5}}]}"); }),
                   "no secret"));
}

TEST_CASE("the group's key 'references' keeps which columns belong together, and reads what older builds wrote") {
    CHECK(decode_references(encode(shop_keys)) == shop_keys);
    const auto old = decode_references(
        R"({"references":[{"schema":"public","table":"a","column":"b","to_schema":"public","to_table":"c",)"
        R"("to_column":"d","same_type":true}]})");
    REQUIRE(old.size() == 1);
    CHECK(old[0].constraint.empty());
}
