// The routing file with its sections `defaults` and `tables`: patterns, constants, modes.
#include <doctest/doctest.h>

#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

RelationPtr in(const std::string& schema, const std::string& table) {
    auto made = *relation(table, {column("id", integer_type, true), column("v", text_type)});
    made.schema = schema;
    return std::make_shared<const Relation>(made);
}

std::string target_of(const std::string& routing, const RelationPtr& table) {
    const auto compiled = load("", routing)->compile(table);
    if (compiled == nullptr) return "nothing";
    const Relation& target = *compiled->target();
    std::string text = target.schema + "." + target.table;
    for (std::size_t i = 0; i < target.keeping.constants.size(); ++i)
        text += " " + target.columns[i].name + "=" + target.keeping.constants[i] + ":" + target.columns[i].type_name +
                (target.columns[i].key ? " key" : "");
    return text;
}

}  // namespace

TEST_CASE("defaults hold for every table, and a route for its own") {
    const std::string routing =
        "defaults: {schema: w, columns: {sid: 7}}\n"
        "tables:\n"
        "  users: {to: people, columns: {origin: x}}\n"
        "  shop.plain: {to: public.plain, columns: {sid: null}}\n"
        "  shop.live: {columns: {sid: true}}\n"
        "  left: {replicate: false}\n"
        "  \"app_*.*\": {to: apps, columns: {sid: {value: '8', type: smallint}, app: '{schema}/{table}'}}\n"
        "  app_9.users: {}\n";
    CHECK(target_of(routing, in("shop", "orders")) == "w.orders sid=7:bigint key");
    CHECK(target_of(routing, in("shop", "users")) == "w.people sid=7:bigint key origin=x:text key");
    CHECK(target_of(routing, in("shop", "plain")) == "public.plain");
    CHECK(target_of(routing, in("shop", "live")) == "w.live sid=t:boolean key");  // as PostgreSQL writes it
    CHECK(target_of(routing, in("shop", "left")) == "nothing");
    CHECK(target_of(routing, in("app_1", "t")) == "w.apps sid=8:smallint key app=app_1/t:text key");
    CHECK(target_of(routing, in("app_9", "users")) == "w.users sid=7:bigint key");
}

TEST_CASE("a partition's rows are under its table's names, also those of a pattern") {
    auto partition = *in("app_1", "orders_2026");
    partition.ancestors = {{"app_1", "orders"}};
    CHECK(target_of("tables: {\"*.orders\": {to: w.orders, columns: {app: '{schema}.{table}'}}}",
                    std::make_shared<const Relation>(partition)) == "w.orders app=app_1.orders:text key");
}

TEST_CASE("a schema whose name is that of a placeholder does not pass for another") {
    const std::string routing =
        "tables: {\"*.*\": {to: w.all, columns: {app: '{schema}', at: '{table}{schema}.{sche'}}}";
    CHECK(target_of(routing, in("{table}", "acme")) == "w.all app={table}:text key at=acme{table}.{sche:text key");
    CHECK(target_of(routing, in("a", "{schema}")) == "w.all app=a:text key at={schema}a.{sche:text key");
}

TEST_CASE("a file of pg_flo's may have tables of these names") {
    const std::string routing = "tables: {source_table: tables, destination_table: w.tables}";
    CHECK(target_of(routing, in("shop", "tables")) == "w.tables");
    CHECK(target_of(routing, in("shop", "users")) == "shop.users");
}

TEST_CASE("constants are in new and old rows, and before COPY text") {
    const auto table = in("shop", "users");
    const auto compiled = load("", "defaults: {columns: {sid: 7, origin: \"a\\tb\"}}")->compile(table);
    CHECK_FALSE(compiled->passes_copy());
    CHECK(compiled->copy_prefix() == "7\ta\\tb\t");
    Arena arena;
    const Values now{Value("1"), Value("x")};
    const Values before{Value("2"), Value()};
    Change change = update(table, now, OldRow::key, before);
    REQUIRE(compiled->apply(change, arena));
    CHECK(values(change.new_row) == Values{Value("7"), Value("a\tb"), Value("1"), Value("x")});
    CHECK(values(change.old_row) == Values{Value("7"), Value("a\tb"), Value("2"), Value()});
}

TEST_CASE("append lets no removal pass") {
    const auto table = in("shop", "users");
    const auto compiled = load("", "tables: {users: {mode: append}}")->compile(table);
    Arena arena;
    const Values before{Value("2"), Value()};
    Change change = del(table, OldRow::key, before);
    CHECK_FALSE(compiled->apply(change, arena));
    CHECK_FALSE(compiled->passes(Op::truncate));
    CHECK(compiled->target()->keeping.mode == Keeping::Mode::append);
}

TEST_CASE("append and operations of which it leaves none are refused, where they are written") {
    for (const std::string routing : {"defaults: {mode: append}\ntables:\n  users:\n    operations: [DELETE]\n",
                                      "tables:\n  users:\n    mode: append\n    operations: [DELETE, TRUNCATE]\n"}) {
        CAPTURE(routing);
        std::string error;
        try {
            load("", routing);
        } catch (const Error& caught) {
            error = caught.what();
        }
        CHECK(contains(error, "routing.yaml:4): 'operations' lets through only what mode append leaves out"));
    }
}

TEST_CASE("a route of another mode than the defaults has that mode's operations") {
    const auto rules = load("",
                            "defaults: {mode: append}\n"
                            "tables:\n"
                            "  cloned: {mode: clone}\n"
                            "  kept: {mode: history}\n"
                            "  few: {mode: clone, operations: [INSERT, DELETE]}\n"
                            "  plain: {operations: [UPDATE, DELETE]}\n"
                            "  empty:\n");
    const auto operations = [&](const std::string& table) {
        const auto compiled = rules->compile(in("shop", table));
        std::string text;
        for (const Op op : {Op::insert, Op::update, Op::del, Op::truncate})
            if (compiled->passes(op)) text += rules::Operations{op}.text() + " ";
        return text;
    };
    CHECK(operations("cloned") == "insert update delete truncate ");
    CHECK(operations("kept") == "insert update delete truncate ");
    CHECK(operations("few") == "insert delete ");
    CHECK(operations("plain") == "update ");
    CHECK(operations("empty") == "insert update ");
    CHECK(operations("others") == "insert update ");
}

TEST_CASE("a route's history has what the defaults say and it does not") {
    const auto rules =
        load("",
             "defaults: {mode: history, history: {valid_to: until, open: '9999-01-01', versions: change}}\n"
             "tables:\n"
             "  named: {history: {valid_from: since}}\n"
             "  whole: {history: kuvasz}\n");
    const HistoryColumns named = rules->compile(in("shop", "named"))->target()->keeping.history;
    CHECK(named.valid_from == "since");
    CHECK(named.valid_to == "until");
    CHECK(named.open == "9999-01-01");
    CHECK(named.every_change);
    const HistoryColumns whole = rules->compile(in("shop", "whole"))->target()->keeping.history;
    CHECK(whole.valid_to == "kvsz_end");
    CHECK_FALSE(whole.every_change);
}

TEST_CASE("what does not fit is refused") {
    const auto refused = [](const std::string& routing) {
        return error_of([&] { (void)load("", routing)->compile(in("shop", "users")); });
    };
    CHECK(contains(refused("defaults: {columns: {id: 7}}"), "two columns would be named 'id'"));
    CHECK(contains(refused("tables: {users: {mode: history, history: {valid_to: v}}}"),
                   "two columns would be named 'v'"));
    CHECK(contains(refused("defaults: {columns: {sid: [7]}}"), "a constant column is a value"));
    CHECK(contains(refused("defaults: {columns: {sid: {value: x, type: bigint}}}"), "'x' is no value of type bigint"));
    CHECK(contains(refused("defaults: {shema: w}"), "unknown key 'shema'"));
    CHECK(contains(refused("tables: {users: {to: a.b, destination_table: c}}"), "both 'to' and 'destination_table'"));
}
