// A sample of a shop's customers: copied and streamed, through moves of keys and references and a restart, with the
// target's foreign keys in force.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/live/compare_fixture.h"
#include "tests/live/source_rules_fixture.h"
#include "tests/support/direct_group.h"
#include "tests/support/hardening.h"
#include "tests/support/text.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* one_in_three = R"(
secret_env: PGSLUICE_SAMPLE_SECRET
tables:
  customers:
    - {type: sample, column: id, parameters: {one_in: 3}}
    - {type: transform, column: name, parameters: {type: mask}}
)";

// Items refer to products, which are not sampled.
constexpr const char* tables = R"(
    CREATE TABLE customers (id bigint PRIMARY KEY, name text);
    CREATE TABLE products (id int PRIMARY KEY);
    CREATE TABLE orders (customer_id int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE, no int, note text,
        PRIMARY KEY (customer_id, no));
    CREATE TABLE items (customer_id int, order_no int, line int, product_id int NOT NULL REFERENCES products,
        note text, PRIMARY KEY (customer_id, order_no, line),
        FOREIGN KEY (customer_id, order_no) REFERENCES orders ON UPDATE CASCADE ON DELETE CASCADE);
    CREATE TABLE gifts (id int PRIMARY KEY, giver int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE,
        taker int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE, note text))";

constexpr const char* rows = R"(
    INSERT INTO customers SELECT i, 'canary ' || i FROM generate_series(1, 90) AS i;
    INSERT INTO products SELECT generate_series(0, 9);
    INSERT INTO orders SELECT c, n, 'canary' FROM generate_series(1, 90) AS c, generate_series(1, 3) AS n;
    INSERT INTO items SELECT customer_id, no, l, (customer_id + l) % 10, 'note' FROM orders, generate_series(1, 2) AS l;
    INSERT INTO gifts SELECT i, i, nullif(91 - i, 45), 'note' FROM generate_series(1, 90) AS i)";

// Of every kind of change, with moves of keys and references to other customers.
constexpr const char* changes = R"(
    INSERT INTO customers SELECT i, 'canary ' || i FROM generate_series(91, 120) AS i;
    INSERT INTO orders SELECT i, 1, 'canary' FROM generate_series(91, 120) AS i;
    INSERT INTO items SELECT i, 1, 1, i % 10, 'note' FROM generate_series(91, 120) AS i;
    UPDATE customers SET id = id + 1000 WHERE id % 7 = 0;
    UPDATE orders SET customer_id = customer_id + 1, no = no + 100 WHERE customer_id % 7 = 1 AND no = 2;
    UPDATE gifts SET giver = taker, taker = giver WHERE id % 5 = 0;
    UPDATE gifts SET taker = 1 + id WHERE id % 5 = 1 AND id % 7 <> 6 AND id < 80;
    UPDATE items SET note = 'other' WHERE line = 1;
    UPDATE gifts SET note = 'other' WHERE id % 3 = 0;
    DELETE FROM customers WHERE id % 11 = 3;
    DELETE FROM items WHERE line = 2 AND order_no = 1)";

class Shop {
   public:
    explicit Shop(Pipeline& pipeline) : pipeline_(pipeline) {}

    // The target has just what belongs to its customers, as the source has it, and every third of these or so.
    void check() {
        pipeline_.settle();
        const std::string kept = pipeline_.target_scalar("SELECT string_agg(id::text, ',') FROM customers");
        const auto in = [&](const std::string& column) { return "(" + column + " IN (" + kept + "))"; };
        const auto or_none = [&](const std::string& column) {
            return "(" + column + " IS NULL OR " + in(column) + ")";
        };
        same("orders", in("customer_id"));
        same("items", in("customer_id"));
        same("gifts", or_none("giver") + " AND " + or_none("taker"));
        same("products", "true");
        CHECK(pipeline_.target_scalar("SELECT count(*) FROM customers WHERE name LIKE '%canary%'") == "0");
        check_keys();
    }
    // As integers, sorted.
    [[nodiscard]] std::string customers() const {
        return pipeline_.target_scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM customers");
    }

   private:
    void same(const std::string& table, const std::string& where) {
        const std::string query =
            "SELECT coalesce(string_agg(whole_row::text, ';' ORDER BY whole_row::text COLLATE \"C\"), '') FROM " +
            table + " AS whole_row";
        CHECK_MESSAGE(pipeline_.target_scalar(query) == pipeline_.source_scalar(query + " WHERE " + where), table);
    }
    // PostgreSQL itself checks them all again.
    void check_keys() {
        pipeline_.on_target(R"(DO $$
            DECLARE k record;
            BEGIN
                FOR k IN SELECT conrelid::regclass AS t, conname, pg_get_constraintdef(oid) AS d FROM pg_constraint
                         WHERE contype = 'f' AND connamespace = 'public'::regnamespace LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.t, k.conname);
                    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.t, k.conname, k.d);
                END LOOP;
            END $$)");
        CHECK(pipeline_.target_scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated") ==
              "5");
    }

    Pipeline& pipeline_;
};

constexpr const char* notes_of_customers = R"(
    CREATE TABLE customers (id bigint PRIMARY KEY, name text, note text);
    CREATE TABLE notes (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, line text))";
constexpr const char* rows_of_notes = R"(
    INSERT INTO customers SELECT i, 'canary ' || i, '<canary-' || i || '>' FROM generate_series(1, 90) AS i;
    INSERT INTO notes SELECT i, i, '<canary-' || i || '>' FROM generate_series(1, 90) AS i)";

// Whether the rows of just these customers, "(7)", show in it.
void check_shows(const std::string& what, const std::string& text, const std::vector<std::string>& shown) {
    for (int id = 1; id <= 90; ++id) {
        const bool found = contains(text, "<canary-" + std::to_string(id) + ">");
        const bool expected = std::ranges::find(shown, "(" + std::to_string(id) + ")") != shown.end();
        CHECK_MESSAGE(found == expected, what << " " << id);
    }
}

const std::map<std::string, std::string> secret{{"PGSLUICE_SAMPLE_SECRET", "one secret"}};

}  // namespace

TEST_CASE("a worker keeps a sample whole, from the copy on, through moves and a restart") {
    for (const std::string identity : {"DEFAULT", "FULL"}) {
        CAPTURE(identity);
        const TextFile rules(one_in_three);
        const Texts files{"--rules-config", rules.path()};
        Pipeline pipeline;
        Shop shop(pipeline);
        pipeline.on_both(tables);
        for (const char* table : {"customers", "orders", "items", "gifts"})
            pipeline.on_source(std::string("ALTER TABLE ") + table + " REPLICA IDENTITY " + identity);
        pipeline.on_source(rows);
        pipeline.start_replicator();
        pipeline.start_worker(files, secret);
        shop.check();
        CHECK(pipeline.target_scalar("SELECT count(*) BETWEEN 15 AND 50 FROM customers") == "t");
        const std::string copied = shop.customers();
        pipeline.stop_worker();
        pipeline.on_source(changes);
        pipeline.start_worker(files, secret);
        shop.check();
        CHECK(shop.customers() != copied);
        setenv("PGSLUICE_SAMPLE_SECRET", "one secret", 1);
        const Finished compared = run_compare(pipeline, files);
        CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
        pipeline.stop();
    }
}

TEST_CASE("a replicator publishes only the sample, another secret another one, and a running group keeps its own") {
    std::string first;
    for (const std::string key : {"one secret", "another secret"}) {
        RuledSource source(one_in_three);
        Shop shop(source);
        source.on_both(tables);
        for (const char* table : {"customers", "orders", "items", "gifts"})
            source.on_source(std::string("ALTER TABLE ") + table + " REPLICA IDENTITY FULL");
        source.on_source(rows);
        source.on_source("UPDATE orders SET note = 'order'");
        source.start_ruled({"--copy-and-stream"}, {{"PGSLUICE_SAMPLE_SECRET", key}});
        source.start_worker();
        shop.check();
        source.on_source(changes);
        shop.check();
        if (first.empty()) {
            first = shop.customers();
            source.stop_replicator();
            source.start_ruled({"--copy-and-stream"}, {{"PGSLUICE_SAMPLE_SECRET", "another secret"}});
            CHECK(source.replicator().wait() == 1);
            CHECK(contains(source.replicator().err(), "the filter on 'customer_id'"));
            source.start_ruled({"--copy-and-stream"}, {{"PGSLUICE_SAMPLE_SECRET", key}});
            shop.check();
        } else {
            CHECK(first != shop.customers());
        }
        source.stop();
    }
}

TEST_CASE("a replicator whose sample cannot hold does not start, and names the key") {
    RuledSource source(one_in_three);
    source.on_source(std::string(tables) +
                     "; ALTER TABLE gifts REPLICA IDENTITY FULL; ALTER TABLE orders ADD UNIQUE (no);"
                     "CREATE TABLE notes (id int PRIMARY KEY, no int CONSTRAINT note_of_order REFERENCES orders (no))");
    const Finished refused = run(source.replicator_argv(source.with_rules({"--copy-and-stream"})), secret);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err,
                   "public.notes (no) refers to public.orders by 'note_of_order', and rows of "
                   "public.orders are kept by 'customer_id', which the key does not hold"));
    CHECK(source.source_scalar("SELECT count(*) FROM pg_publication") == "0");
}

TEST_CASE("rows that a replicator's sample leaves out are nowhere beyond the source") {
    RuledSource source(one_in_three);
    source.on_both(notes_of_customers);
    source.on_source(rows_of_notes);
    source.on_source("ALTER TABLE notes REPLICA IDENTITY FULL");
    source.start_ruled({"--copy-and-stream"}, secret);
    source.start_worker();
    source.settle();
    source.on_source("UPDATE notes SET line = line || ' again'; UPDATE customers SET note = note || ' again'");
    source.settle();
    const auto kept = source.target_rows("(SELECT id FROM customers)");
    CHECK(kept.size() > 10);
    check_shows("stream", source.messages(), kept);
    check_shows("bucket", source.keys(), {});
    check_shows("files of nats-server", source.stored(), kept);
    check_shows("log", source.replicator().err() + source.worker().err(), {});
    source.stop();
}

TEST_CASE("rows that a worker's sample leaves out of a direct snapshot are nowhere beyond the source") {
    if (hardened_by_environment()) return;
    DirectGroup group;
    group.on_both(notes_of_customers);
    group.on_source(rows_of_notes);
    group.always({"--log-level", "debug"}, {"--log-level", "debug"});
    const TextFile rules(one_in_three);
    group.start_direct_replicator();
    group.start_direct_worker({"--rules-config", rules.path()}, secret);
    group.settle();
    const auto kept = group.target_rows("(SELECT id FROM customers)");
    CHECK(kept.size() > 10);
    CHECK(group.target_rows("(SELECT customer_id FROM notes)") == kept);
    check_shows("stream", messages_of(*group.broker, group.names().stream), {});
    check_shows("bucket", keys_of(*group.broker, group.names()), {});
    check_shows("log", group.replicator().err() + group.worker().err(), {});
    // Changes go by the same sample.
    group.on_source("UPDATE notes SET line = line || ' again'; UPDATE customers SET note = note || ' again'");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM notes WHERE line LIKE '% again'") == std::to_string(kept.size()));
    CHECK(group.target_rows("(SELECT id FROM customers)") == kept);
    group.stop();
}

// Items hold the order's own key only, so the sample is one of orders.
TEST_CASE("a table in the middle is sampled by its own key, by a limit, and what refers to it follows") {
    const TextFile rules(R"(
secret_env: PGSLUICE_SAMPLE_SECRET
tables: {orders: [{type: sample, column: id, parameters: {limit: 30, of: 90}}]}
)");
    Pipeline pipeline;
    pipeline.on_both(R"(
        CREATE TABLE customers (id int PRIMARY KEY);
        CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers);
        CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders))");
    pipeline.on_source(R"(
        INSERT INTO customers SELECT generate_series(1, 10);
        INSERT INTO orders SELECT i, 1 + i % 10 FROM generate_series(1, 90) i;
        INSERT INTO items SELECT i, nullif(1 + i % 91, 91) FROM generate_series(1, 180) i)");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()}, secret);
    pipeline.settle();
    const auto check = [&] {
        const std::string kept = pipeline.target_scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders");
        for (const auto& [table, where] : {std::pair<std::string, std::string>{"customers", "true"},
                                           {"orders", "id IN (" + kept + ")"},
                                           {"items", "order_id IS NULL OR order_id IN (" + kept + ")"}})
            CHECK(pipeline.target_rows(table) ==
                  pipeline.source_rows("(SELECT * FROM " + table + " WHERE " + where + ")"));
        return kept;
    };
    const std::string copied = check();
    CHECK(pipeline.target_scalar("SELECT count(*) BETWEEN 15 AND 50 FROM orders") == "t");
    // The table grows, and the rows that were kept stay, also after a restart.
    pipeline.stop_worker();
    pipeline.on_source(
        "INSERT INTO orders SELECT i, 1 FROM generate_series(91, 180) i;"
        "UPDATE items SET order_id = 1 + (id * 7) % 180; DELETE FROM items WHERE id % 9 = 0");
    pipeline.start_worker({"--rules-config", rules.path()}, secret);
    pipeline.settle();
    check();
    CHECK(pipeline.target_scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders WHERE id <= 90") == copied);
    pipeline.stop();
}
