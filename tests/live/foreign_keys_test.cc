// Rules of keys, and the columns that refer to them: at the worker, at the replicator, in compare and check rules.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"
#include "tests/live/source_rules_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* hash_email =
    "secret_env: HOME\ntables: {users: [{type: transform, column: email, parameters: {type: hash, length: 32}}]}";
constexpr const char* tables = R"(
    CREATE TABLE users (email text PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, buyer text REFERENCES users);
    CREATE TABLE events (id int, day date, who text REFERENCES users, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'))";

// How many rows of the target's table show a key, and how many are found by it.
std::string shown_and_found(Pipeline& pipeline, const std::string& table, const std::string& column) {
    return pipeline.target_scalar("SELECT count(*) FILTER (WHERE " + column +
                                  " LIKE '%canary%') || ' ' || count(*) "
                                  "FILTER (WHERE " +
                                  column + " IN (SELECT email FROM users)) FROM " + table);
}

}  // namespace

TEST_CASE("a worker hides a key in all columns that refer to it, also of tables that join, and joins hold") {
    const TextFile rules(hash_email);
    const Texts files{"--rules-config", rules.path()};
    Pipeline pipeline;
    pipeline.on_both(tables);
    pipeline.on_source(
        "INSERT INTO users VALUES ('canary1'), ('canary2'); INSERT INTO orders VALUES (1, 'canary1'), (2, 'canary2');"
        "INSERT INTO events VALUES (1, '2024-02-03', 'canary1')");
    pipeline.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_TABLE_CHECK_MS", "200"}});
    pipeline.start_worker(files);
    pipeline.settle();
    CHECK(shown_and_found(pipeline, "orders", "buyer") == "0 2");
    CHECK(shown_and_found(pipeline, "events", "who") == "0 1");
    pipeline.on_source(
        "INSERT INTO users VALUES ('canary3'); UPDATE orders SET buyer = 'canary3' WHERE id = 1;"
        "INSERT INTO orders VALUES (3, 'canary3'); DELETE FROM orders WHERE id = 2");
    const std::string joins = "CREATE TABLE notes (id int PRIMARY KEY, author text REFERENCES users)";
    pipeline.on_target(joins);
    pipeline.on_source(joins + "; INSERT INTO notes VALUES (1, 'canary2')");
    pipeline.on_source("INSERT INTO notes VALUES (2, 'canary3')");
    CHECK(eventually("the rows of the table that joined",
                     [&] { return pipeline.target_scalar("SELECT count(*) FROM notes") == "2"; }));
    pipeline.settle();
    CHECK(shown_and_found(pipeline, "orders", "buyer") == "0 2");
    CHECK(shown_and_found(pipeline, "notes", "author") == "0 2");
    const Finished compared = run_compare(pipeline, files);
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    pipeline.stop();
}

TEST_CASE("a key that is dropped while the worker is stopped does not make rows come unmasked") {
    const TextFile rules(hash_email);
    const Texts files{"--rules-config", rules.path()};
    Pipeline pipeline;
    pipeline.on_both(tables);
    pipeline.on_source("INSERT INTO users VALUES ('canary1'); INSERT INTO orders VALUES (1, 'canary1')");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.settle();
    pipeline.stop();
    pipeline.on_source(
        "ALTER TABLE orders DROP CONSTRAINT orders_buyer_fkey; INSERT INTO orders VALUES (2, 'canary1')");
    pipeline.start_replicator();
    pipeline.await_stream();
    pipeline.start_worker(files);
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(),
                   "the rules changed after rows were delivered: public.orders (column "
                   "'buyer')"));
    CHECK(shown_and_found(pipeline, "orders", "buyer") == "0 1");
    pipeline.stop_replicator();
}

TEST_CASE("a replicator hides a key in all columns that refer to it, wherever one may look") {
    RuledSource source(hash_email);
    source.on_both(tables);
    source.on_source(
        "INSERT INTO users VALUES ('canary1'), ('canary2'); INSERT INTO orders VALUES (1, 'canary1');"
        "INSERT INTO events VALUES (1, '2024-02-03', 'canary1')");
    source.start_ruled();
    source.start_worker();
    source.settle();
    source.on_source("UPDATE orders SET buyer = 'canary2'; INSERT INTO orders VALUES (2, 'canary1')");
    source.settle();
    CHECK(source.found().empty());
    CHECK(shown_and_found(source, "orders", "buyer") == "0 2");
    CHECK(shown_and_found(source, "events", "who") == "0 1");
    source.stop();
}

TEST_CASE("a replicator whose rules would break a foreign key does not start") {
    RuledSource source(
        "secret_env: HOME\ntables: {orders: [{type: transform, column: buyer, parameters: {type: hash}}]}");
    source.on_source(tables);
    const Finished refused = run(source.replicator_argv(source.with_rules({"--copy-and-stream"})));
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "the column refers to public.users.email, which has no transform"));
    CHECK(source.source_scalar("SELECT count(*) FROM pg_publication") == "0");
}

TEST_CASE("check rules shows the keys of a source, as text and as JSON") {
    const TextFile rules(hash_email);
    const std::string database = shared_postgres().create_database();
    shared_postgres().sql(database, tables);
    const auto check = [&](const Texts& more) {
        Texts argv{PGSLUICE_BINARY,
                   "check",
                   "rules",
                   "--rules-config",
                   rules.path(),
                   "--source-url",
                   shared_postgres().url(database)};
        argv.insert(argv.end(), more.begin(), more.end());
        return run(argv);
    };
    const Finished text = check({});
    CHECK(text.code == 0);
    CHECK(contains(text.out,
                   "foreign keys\n"
                   "  public.events.who -> public.users.email: inherited: "));
    CHECK(contains(text.out, "  public.orders.buyer -> public.users.email: inherited: "));
    const Finished json = check({"--json"});
    CHECK(json.code == 0);
    CHECK(contains(json.out, R"({"foreign_keys":[{"table":"public.events","column":"who",)"
                             R"("refers_to":["public.users.email"],"state":"inherited")"));
    // Only what is one to the table, and not to each of its partitions.
    shared_postgres().sql(database, "CREATE TABLE of_events (e int, d date, FOREIGN KEY (e, d) REFERENCES events)");
    const Finished more = check({});
    CHECK(contains(more.out,
                   "  public.of_events.d -> public.events.day: no rule\n"
                   "  public.of_events.e -> public.events.id: no rule\n"));
    CHECK_FALSE(contains(more.out, "events_1.id"));
}
