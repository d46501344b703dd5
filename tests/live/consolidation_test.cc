// Many databases into one: constants that a routing file adds to every row tell each worker's rows from those of
// others, and whatever a worker removes are only its own.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "tests/live/compare_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

std::string write_file(const std::string& text) {
    const std::string path = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(path) << text;
    return path;
}

constexpr const char* shop =
    "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, note text);"
    "CREATE TABLE orders (id bigint PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE, total "
    "numeric(8,2));"
    "CREATE UNIQUE INDEX orders_once ON orders USING btree (lower(user_id::text), total);"
    "ALTER TABLE users ALTER note SET STORAGE EXTERNAL;";

// One source of several with the same schema, all into `warehouse` of one target.
struct Tenant {
    std::unique_ptr<Pipeline> pipeline;
    std::string sid;
    std::string file;

    Tenant(int number, const std::string& target_db, const std::string& more = "")
        : sid(std::to_string(number)),
          file(write_file(fmt::format(R"(
defaults: {{schema: warehouse, columns: {{sid: {}}}}}
tables:
  settled: {{to: public.settled, mode: append, columns: {{sid: null}}}}
{})",
                                      number, more))) {
        if (target_db.empty()) {
            pipeline = std::make_unique<Pipeline>();
        } else {
            const std::string source = shared_servers().source.create_database();
            shared_servers().source.sql(source, "CREATE TABLE settled (mark int PRIMARY KEY)");
            pipeline = std::make_unique<Pipeline>(shared_servers(), Pipeline::Between{source, target_db});
        }
        pipeline->on_source(shop);
        pipeline->on_source(fmt::format(
            "INSERT INTO users SELECT i, 'u' || i || '@{0}', repeat('long {0}', 500) FROM generate_series(1, 50) i;"
            "INSERT INTO orders SELECT i, 1 + i % 50, i FROM generate_series(1, 200) i",
            number));
    }
    void start_worker(std::vector<std::string> more = {"--target-sync-schema"}) {
        more.insert(more.end(), {"--routing-config", file, "--source-url", pipeline->source_url()});
        pipeline->start_worker(more);
    }
    void start() {
        pipeline->start_replicator();
        start_worker();
    }
    std::string rows_here(const std::string& columns, const std::string& table) {
        return pipeline->source_scalar(fmt::format(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r, '\n' ORDER BY r COLLATE \"C\")), '') FROM (SELECT "
            "ROW({})::text AS r FROM {}) t",
            columns, table));
    }
    std::string rows_there(const std::string& columns, const std::string& table) {
        return pipeline->target_scalar(fmt::format(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r, '\n' ORDER BY r COLLATE \"C\")), '') FROM (SELECT "
            "ROW({})::text AS r FROM warehouse.{} WHERE sid = {}) t",
            columns, table, sid));
    }
    void check_equal() {
        CAPTURE(sid);
        CHECK(rows_there("id, email, note", "users") == rows_here("id, email, note", "users"));
        CHECK(rows_there("id, user_id, total", "orders") == rows_here("id, user_id, total", "orders"));
        const Finished compared = run_compare(*pipeline, {"--routing-config", file});
        CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    }
};

}  // namespace

TEST_CASE("three sources of one schema fill one table, and each removes only its own rows") {
    Tenant first(1, "");
    Tenant second(2, first.pipeline->target_db());
    Tenant third(3, first.pipeline->target_db());
    Tenant* all[] = {&first, &second, &third};
    for (Tenant* tenant : all) tenant->start();
    for (Tenant* tenant : all) tenant->pipeline->settle();
    for (Tenant* tenant : all) tenant->check_equal();
    Pipeline& target = *first.pipeline;
    CHECK(target.target_scalar("SELECT string_agg(pg_get_constraintdef(oid), '; ' ORDER BY conrelid::regclass::text, "
                               "contype DESC) FROM pg_constraint WHERE connamespace = 'warehouse'::regnamespace "
                               "AND contype <> 'n'") ==
          "PRIMARY KEY (sid, id); FOREIGN KEY (sid, user_id) REFERENCES warehouse.users(sid, id) ON DELETE CASCADE; "
          "UNIQUE (sid, email); PRIMARY KEY (sid, id)");
    CHECK(contains(target.target_scalar("SELECT pg_get_indexdef('warehouse.orders_once'::regclass)"),
                   "(sid, lower((user_id)::text), total)"));
    CHECK(
        target.target_scalar("SELECT attnotnull || ' ' || format_type(atttypid, 0) FROM pg_attribute WHERE attrelid = "
                             "'warehouse.users'::regclass AND attname = 'sid'") == "true bigint");

    // The same keys everywhere, unchanged TOAST, a moved key.
    for (Tenant* tenant : all) {
        tenant->pipeline->on_source("UPDATE users SET email = email || '.' WHERE id < 20");
        tenant->pipeline->on_source("DELETE FROM users WHERE id = " + tenant->sid);
    }
    second.pipeline->on_source(
        "UPDATE users SET id = 1000 WHERE id = 45 AND NOT EXISTS (SELECT FROM orders WHERE "
        "user_id = 45); DELETE FROM orders WHERE user_id = 44; UPDATE users SET id = 2000 WHERE "
        "id = 44");
    first.pipeline->on_source("TRUNCATE users, orders; INSERT INTO users VALUES (7, 'seven', 'x')");
    third.pipeline->on_source("TRUNCATE orders");
    for (Tenant* tenant : all) tenant->pipeline->settle();
    for (Tenant* tenant : all) tenant->check_equal();

    // A copy once more, which replaces the rows of one.
    third.pipeline->on_source("INSERT INTO orders SELECT i, 10, i FROM generate_series(1, 20) i");
    third.pipeline->settle();
    third.pipeline->stop();
    third.pipeline->on_target(
        "DELETE FROM warehouse.orders WHERE sid = 3 AND id < 10; "
        "INSERT INTO warehouse.orders VALUES (3, 999, 10, 1)");
    third.pipeline->start_replicator({"--copy-and-stream", "--resnapshot"});
    third.start_worker({"--target-existing-rows", "truncate"});
    third.pipeline->settle();
    for (Tenant* tenant : all) tenant->check_equal();
    for (Tenant* tenant : all) tenant->pipeline->stop();
}

TEST_CASE("rows of others do not keep a copy from beginning, and its own do") {
    Tenant first(1, "");
    Tenant second(2, first.pipeline->target_db());
    first.start();
    first.pipeline->settle();
    first.pipeline->on_target("INSERT INTO warehouse.users VALUES (2, 1, 'old', '')");
    second.pipeline->start_replicator();
    second.start_worker();
    REQUIRE(says(second.pipeline->worker(),
                 "the target already holds rows in \"warehouse\".\"users\" WHERE \"sid\" = '2'"));
    second.pipeline->worker().wait(std::chrono::seconds(10));
    second.start_worker({"--target-sync-schema", "--target-existing-rows", "truncate"});
    second.pipeline->settle();
    first.check_equal();
    second.check_equal();
    first.pipeline->stop();
    second.pipeline->stop();
}

TEST_CASE("rows with the constants of another worker are refused, in a copy and in changes, until it is gone") {
    Tenant first(1, "");
    first.start();
    first.pipeline->settle();
    // The same number, by mistake: the hint's way out, its own values, works.
    Tenant second(1, first.pipeline->target_db());
    second.pipeline->start_replicator();
    second.start_worker({"--target-existing-rows", "truncate"});
    static_cast<void>(refusal(second.pipeline->worker(), "Give each source values of its own"));
    CHECK(contains(second.pipeline->worker().err(), R"(WHERE "sid" = '1': they belong to worker 'postgres' of group)"));
    first.check_equal();
    const Tenant other(2, first.pipeline->target_db());
    second.file = other.file;
    second.sid = "2";
    second.start_worker();
    second.pipeline->settle();
    second.check_equal();

    // Changes alone, after the file was changed to the first's number.
    second.pipeline->stop_worker();
    second.file = first.file;
    second.pipeline->on_source("DELETE FROM orders; DELETE FROM users");
    second.start_worker({"--on-rules-change", "continue"});
    static_cast<void>(refusal(second.pipeline->worker(), "DELETE FROM pgsluice.own_rows"));
    first.check_equal();
    second.file = other.file;
    second.start_worker({"--on-rules-change", "continue"});
    second.pipeline->settle();
    second.check_equal();
    second.pipeline->stop_worker();

    // The first is gone, and its rows are to be the second's: what the hint says, for each table.
    first.pipeline->stop();
    second.file = first.file;
    second.sid = "1";
    second.pipeline->on_target("TRUNCATE warehouse.users, warehouse.orders");
    second.pipeline->on_source("INSERT INTO users VALUES (1, 'mail', 'n'); INSERT INTO orders VALUES (1, 1, 5)");
    for (int table = 0; table < 2; ++table) {
        second.start_worker({"--on-rules-change", "continue"});
        const std::string hint = refusal(second.pipeline->worker(), "DELETE FROM pgsluice.own_rows");
        second.pipeline->on_target(said(hint, "DELETE FROM", ";"));
    }
    second.start_worker({"--on-rules-change", "continue"});
    second.pipeline->settle();
    second.check_equal();
    second.pipeline->stop();

    // A group that is torn down has none.
    must_succeed(run(second.pipeline->command_argv(
        "admin", {"teardown", "--group", second.pipeline->group(), "--source-url", second.pipeline->source_url(),
                  "--target-url", second.pipeline->target_url(), "--yes"})));
    CHECK(second.pipeline->target_scalar("SELECT count(*) FROM pgsluice.own_rows WHERE \"group\" = '" +
                                         second.pipeline->group() + "'") == "0");
}

TEST_CASE("an interrupted copy under another constant removes what it has loaded, and nothing else") {
    Tenant first(1, "");
    Tenant second(2, first.pipeline->target_db());
    first.start();
    first.pipeline->settle();
    second.pipeline->start_replicator();
    second.pipeline->start_worker(
        {"--target-sync-schema", "--routing-config", second.file, "--source-url", second.pipeline->source_url()},
        {{"PGSLUICE_FAILPOINT", "postgres-load-after-commit"}});
    Pipeline::must_die(second.pipeline->worker());
    CHECK(
        first.pipeline->target_scalar("SELECT (SELECT count(*) FROM warehouse.users WHERE sid = 2) + (SELECT count(*) "
                                      "FROM warehouse.orders WHERE sid = 2) > 0") == "t");
    const Tenant other(20, first.pipeline->target_db());
    second.file = other.file;
    second.sid = other.sid;
    second.start_worker();
    second.pipeline->settle();
    first.check_equal();
    second.check_equal();
    CHECK(
        first.pipeline->target_scalar("SELECT (SELECT count(*) FROM warehouse.users WHERE sid = 2) + (SELECT count(*) "
                                      "FROM warehouse.orders WHERE sid = 2)") == "0");
    first.pipeline->stop();
    second.pipeline->stop();
}

TEST_CASE("a target without the added column is refused, and taken once the hint is followed") {
    Tenant tenant(7, "");
    tenant.pipeline->on_target(
        "CREATE SCHEMA warehouse; CREATE TABLE warehouse.users (id int, email text, note text); "
        "CREATE TABLE warehouse.orders (sid int, id bigint, user_id int, total numeric, PRIMARY "
        "KEY (sid, id))");
    tenant.pipeline->start_replicator();
    tenant.start_worker({"--on-missing-column", "ignore"});
    const std::string hint = refusal(tenant.pipeline->worker(), "with the column in the table's primary key");
    tenant.pipeline->on_target(said(hint, "ALTER TABLE", ";"));
    tenant.pipeline->on_target("ALTER TABLE warehouse.users ADD PRIMARY KEY (sid, id)");
    tenant.start_worker({});
    tenant.pipeline->settle();
    tenant.check_equal();
    tenant.pipeline->stop();
}

TEST_CASE("append: what the source deletes stays, and a key that comes again is an update") {
    Tenant tenant(1, "", "  users: {mode: append}\n  orders: {replicate: false}\n");
    tenant.start();
    tenant.pipeline->settle();
    tenant.pipeline->on_source(
        "UPDATE users SET email = 'new' WHERE id = 2; DELETE FROM orders; DELETE FROM users WHERE "
        "id < 10; INSERT INTO users VALUES (1, 'again', NULL); TRUNCATE users CASCADE; INSERT "
        "INTO users VALUES (51, 'last', NULL)");
    tenant.pipeline->settle();
    CHECK(tenant.pipeline->target_scalar("SELECT count(*) FROM warehouse.users WHERE sid = 1") == "51");
    CHECK(tenant.pipeline->target_scalar(
              "SELECT string_agg(email, ' ' ORDER BY id) FROM warehouse.users WHERE id < 4") == "again new u3@1");
    // Nor does a new copy remove any.
    tenant.pipeline->stop();
    tenant.pipeline->start_replicator({"--copy-and-stream", "--resnapshot"});
    tenant.start_worker({});
    tenant.pipeline->settle();
    CHECK(tenant.pipeline->target_scalar("SELECT count(*) FROM warehouse.users WHERE sid = 1") == "51");
    const Finished compared = run_compare(*tenant.pipeline, {"--routing-config", tenant.file});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    tenant.pipeline->stop();
}

// What the rules page says of them, with the way out.
TEST_CASE("a row that was deleted and stays is in the way of a key and of a unique value that come again") {
    for (const std::string keeping : {"mode: append", "operations: [INSERT, UPDATE]"}) {
        CAPTURE(keeping);
        Pipeline group;
        const std::string file = write_file("tables: {t: {" + keeping + "}}");
        const auto stops = [&](const std::string& changes) {
            group.start_worker({"--routing-config", file});
            group.settle();
            group.on_source(changes);
            CHECK(group.worker().wait() == 1);
            CHECK(contains(group.worker().err(), "duplicate key value violates unique constraint"));
        };
        group.on_both("CREATE TABLE t (id int PRIMARY KEY, u text UNIQUE)");
        group.on_source("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
        group.start_replicator();
        stops("DELETE FROM t WHERE id = 2; UPDATE t SET id = 2 WHERE id = 1");
        group.on_target("DELETE FROM t WHERE id = 2");
        stops("DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (4, 'c')");
        group.on_target("ALTER TABLE t DROP CONSTRAINT t_u_key");
        group.start_worker({"--routing-config", file});
        group.settle();
        CHECK(group.target_rows("t") == std::vector<std::string>{"(2,a)", "(3,c)", "(4,c)"});
        group.stop();
    }
}

TEST_CASE("schemas of one database by pattern into one table, told apart by a column") {
    Pipeline pipeline;
    for (const std::string schema : {"app_1", "app_2"})
        pipeline.on_source(
            fmt::format("CREATE SCHEMA {0}; CREATE TABLE {0}.orders (id int PRIMARY KEY, v text); INSERT "
                        "INTO {0}.orders VALUES (1, '{0}'), (2, 'two')",
                        schema));
    const std::string file =
        write_file("tables:\n  \"app_*.orders\": {to: warehouse.orders, columns: {app: \"{schema}\"}}\n");
    pipeline.start_replicator({"--copy-and-stream", "--schemas", "public,app_1,app_2"});
    pipeline.start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", pipeline.source_url()});
    pipeline.settle();
    pipeline.on_source(
        "DELETE FROM app_1.orders WHERE id = 2; UPDATE app_2.orders SET v = 'changed' WHERE id = 1; "
        "TRUNCATE app_1.orders; INSERT INTO app_1.orders VALUES (3, 'new')");
    pipeline.settle();
    CHECK(pipeline.target_rows("warehouse.orders") ==
          std::vector<std::string>{"(app_1,3,new)", "(app_2,1,changed)", "(app_2,2,two)"});
    const Finished compared = run_compare(pipeline, {"--routing-config", file});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    pipeline.stop();
}

TEST_CASE("a column that two sources get is added once, and dropping one waits for the operator") {
    Tenant first(1, "");
    Tenant second(2, first.pipeline->target_db());
    for (Tenant* tenant : {&first, &second}) {
        tenant->pipeline->start_replicator({"--copy-and-stream", "--track-ddl"});
        tenant->start_worker();
        tenant->pipeline->settle();
    }
    for (Tenant* tenant : {&first, &second}) {
        tenant->pipeline->on_source("ALTER TABLE users ADD grade int DEFAULT " + tenant->sid);
        tenant->pipeline->on_source("INSERT INTO users VALUES (60, 'sixty', '', 60)");
        tenant->pipeline->settle();
    }
    for (Tenant* tenant : {&first, &second}) {
        CHECK(tenant->rows_there("id, email, grade", "users") == tenant->rows_here("id, email, grade", "users"));
    }
    second.pipeline->on_source("DROP TABLE orders");
    REQUIRE(says(second.pipeline->worker(), "rows of other sources may be in the table, too"));
    must_succeed(run(second.pipeline->command_argv("operator", {"ddl", "skip", "--worker-name", "postgres"})));
    second.pipeline->settle();
    CHECK(first.pipeline->target_scalar("SELECT count(*) FROM warehouse.orders WHERE sid = 1") == "200");
    first.pipeline->stop();
    second.pipeline->stop();
}

TEST_CASE("a new type that would cut the rows of other sources waits for the operator, a wider one does not") {
    Tenant first(1, "");
    Tenant second(2, first.pipeline->target_db());
    for (Tenant* tenant : {&first, &second}) {
        tenant->pipeline->start_replicator({"--copy-and-stream", "--track-ddl"});
        tenant->start_worker();
        tenant->pipeline->settle();
    }
    Pipeline& group = *second.pipeline;
    const auto skip = [&](const std::string& command, const std::string& column) {
        REQUIRE(says(group.worker(), fmt::format("unable to apply {} on table 'warehouse.", command)));
        REQUIRE(says(group.worker(), fmt::format("the new type of column '{}' may cut, round or change values, and "
                                                 "rows of other sources may be in the table, too",
                                                 column)));
        run_said(group, said(group.worker().err(), "pgsluice ddl skip", "`"));
        REQUIRE(eventually("it is left out", [&] {
            return contains(group.worker().err(), fmt::format("left out, as decided: {} on", command));
        }));
    };
    group.on_source("ALTER TABLE users ALTER note TYPE varchar(3) USING left(note, 3)");
    skip("recopy", "note");
    skip("column type", "note");
    skip("alter column", "note");  // its storage, which was external
    group.settle();
    first.check_equal();
    second.check_equal();

    group.on_source("UPDATE orders SET total = total + 0.25; ALTER TABLE orders ALTER user_id TYPE bigint");
    group.settle();
    CHECK(group.target_scalar("SELECT pg_typeof(user_id) FROM warehouse.orders LIMIT 1") == "bigint");
    group.on_source("ALTER TABLE orders ALTER total TYPE numeric(8,1)");
    REQUIRE(says(group.worker(), "the new type of column 'total' may"));
    run_said(group, said(group.worker().err(), "pgsluice ddl skip", "`"));
    group.settle();
    run_said(group, said(group.worker().err(), "pgsluice resnapshot --tables", "`") + " orders");
    CHECK(eventually("the rows are copied again", [&] {
        return group.target_scalar("SELECT bool_and(total = round(total, 1)) FROM warehouse.orders WHERE sid = 2") ==
               "t";
    }));
    group.settle();
    CHECK(second.rows_there("id, user_id, total::numeric(8,1)", "orders") ==
          second.rows_here("id, user_id, total", "orders"));
    first.check_equal();
    first.pipeline->stop();
    second.pipeline->stop();
}
