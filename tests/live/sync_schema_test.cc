// --target-sync-schema with the real programs: an empty target becomes the source's tables and what they depend on.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr const char* shop = R"(
CREATE EXTENSION hstore;
CREATE SCHEMA "My shop";
CREATE TYPE "My shop".mood AS ENUM ('ok', 'bad');
CREATE DOMAIN "My shop".code AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql AS $$ SELECT 'abc' $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.h = 'by=>trigger'; RETURN NEW; END $$;
CREATE SEQUENCE shared START 5;
CREATE TABLE customer (id bigserial PRIMARY KEY, m "My shop".mood, c "My shop".code DEFAULT next_code(),
    n int DEFAULT nextval('shared'), h hstore, price numeric(10, 2));
CREATE INDEX customer_m ON customer (m);
CREATE TRIGGER stamp BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE purchase (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint REFERENCES customer);
CREATE TABLE part (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_2026 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW seen AS SELECT id FROM customer;
)";
constexpr const char* rows = R"(
INSERT INTO customer (m, price) SELECT 'ok', i + 0.5 FROM generate_series(1, 2000) i;
INSERT INTO purchase (customer) SELECT 1 + i % 2000 FROM generate_series(1, 5000) i;
INSERT INTO part SELECT i, '2026-03-04' FROM generate_series(1, 100) i;
)";

struct Shop : Pipeline {
    Shop() { on_source(shop); }
    [[nodiscard]] std::vector<std::string> sync(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--target-sync-schema", "--source-url", shared_postgres().url(source_db())});
        return more;
    }
    std::string indexes() {
        return target_scalar(
            "SELECT string_agg(indexname, ' ' ORDER BY indexname COLLATE \"C\") FROM pg_indexes WHERE schemaname = "
            "'public'");
    }
    void check_schema() {
        CHECK(indexes() == "customer_m customer_pkey part_2026_pkey part_pkey purchase_pkey settled_pkey");
        CHECK(target_scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == "1");
        CHECK(target_scalar("SELECT count(*) FROM pg_trigger WHERE tgname = 'stamp'") == "1");
        CHECK(target_scalar("SELECT to_regclass('seen') IS NULL") == "t");
        for (const std::string sequence : {"shared", "customer_id_seq", "purchase_id_seq"}) {
            const std::string last = "SELECT last_value FROM " + sequence;
            CAPTURE(sequence);
            CHECK(std::stol(target_scalar(last)) >= std::stol(source_scalar(last)));
        }
    }
    const std::vector<std::string> tables{"customer", "purchase", "part"};
};

std::string file_with(const std::string& name, const std::string& text) {
    const std::string path = temporary_directory("sync_schema") + "/" + name;
    std::ofstream(path) << text;
    return path;
}

}  // namespace

TEST_CASE("a copy into an empty target: tables before the load, the rest after it") {
    Shop target;
    target.on_source(rows);
    target.start_replicator();
    target.start_worker(target.sync());
    target.check_equal(target.tables);
    target.check_schema();
    target.on_source("INSERT INTO purchase (customer) VALUES (7)");
    target.check_equal({"purchase"});
    target.stop();
}

TEST_CASE("in stream-only mode a table is there with all that belongs to it when its first change comes") {
    Shop target;
    target.start_replicator({"--stream"});
    target.start_worker(target.sync());
    CHECK(eventually("streaming begins",
                     [&] { return target.replicator().err().find("streaming begins") != std::string::npos; }));
    target.settle();
    CHECK(target.indexes() == "settled_pkey");
    target.on_source(rows);
    target.check_equal(target.tables);
    target.check_schema();
    target.stop();
}

TEST_CASE("a worker that dies while it makes a table in mid-stream makes what is missing when it starts again") {
    // The tables of one large transaction, made between its pieces: behind the tables, or before their foreign keys.
    for (const std::string place : {"postgres-tables-created", "postgres-tables-created:2", "postgres-unfinished"}) {
        CAPTURE(place);
        Shop target;
        target.start_replicator({"--stream"});
        auto more = target.sync();
        more.insert(more.end(), {"--batch-size", "10"});
        target.start_worker(more, {{"PGSLUICE_FAILPOINT", place}});
        CHECK(eventually("streaming begins",
                         [&] { return target.replicator().err().find("streaming begins") != std::string::npos; }));
        target.on_source(rows);
        REQUIRE(target.worker().wait(std::chrono::seconds(60)) == 128 + SIGKILL);
        target.kill_worker();
        target.start_worker(more);
        target.check_equal(target.tables);
        target.check_schema();
        CHECK(target.target_scalar("SELECT count(*) FROM pgsluice.unfinished") == "0");
        target.stop();
    }
}

TEST_CASE("objects that are there already are left as they are") {
    Shop target;
    target.on_source(rows);
    target.on_target(
        "CREATE SCHEMA \"My shop\"; CREATE TYPE \"My shop\".mood AS ENUM ('ok', 'bad', 'mine'); CREATE TABLE purchase "
        "(id "
        "int PRIMARY KEY, customer bigint, mine text)");
    target.start_replicator();
    target.start_worker(target.sync());
    target.check_equal({"customer", "part"});
    CHECK(target.target_scalar("SELECT count(*) FROM purchase WHERE mine IS NULL") == "5000");
    CHECK(target.target_scalar("SELECT count(*) FROM pg_enum") == "3");
    target.stop();
}

TEST_CASE("workers of two groups start at the same moment on one target, which shares types and a foreign key") {
    Shop target;
    target.on_source(rows);
    const std::vector<std::string> other{"--group", target.group() + "_b"};
    const auto with = [](std::vector<std::string> first, const std::vector<std::string>& second) {
        first.insert(first.end(), second.begin(), second.end());
        return first;
    };
    target.start_replicator({"--copy-and-stream", "--tables", "settled,customer"});
    Process purchases({.argv = target.replicator_argv(with({"--copy", "--tables", "purchase,part"}, other))});
    target.start_worker(target.sync());
    Process second({.argv = target.worker_argv("postgres", with(target.sync({"--exit-after-snapshot"}), other))});
    const int code = second.wait(std::chrono::seconds(60));
    INFO(second.err());
    CHECK(code == 0);
    target.check_equal(target.tables);
    CHECK(target.indexes() == "customer_m customer_pkey part_2026_pkey part_pkey purchase_pkey settled_pkey");
    CHECK(purchases.wait() == 0);
    target.stop();
}

TEST_CASE("routed tables get their columns and key, also under the name of another of the source's tables") {
    Shop target;
    target.on_source(rows);
    const std::string routes = file_with("routes.yaml",
                                         "customer:\n  source_table: customer\n  destination_table: crm.person\n"
                                         "  column_mappings: [{source: id, destination: person_id}]\n"
                                         "part_2026:\n  source_table: part_2026\n  destination_table: customer\n");
    target.start_replicator();
    target.start_worker(target.sync({"--routing-config", routes}));
    target.settle();
    CHECK(target.target_scalar("SELECT count(*) FROM crm.person") == "2000");
    CHECK(target.target_scalar("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY "
                               "attnum) FROM pg_attribute WHERE attrelid = 'crm.person'::regclass AND attnum > 0") ==
          "person_id bigint, m \"My shop\".mood, c \"My shop\".code, n integer, h hstore, price numeric(10,2)");
    CHECK(target.target_scalar("SELECT count(*) FROM customer WHERE at = '2026-03-04'") == "100");
    CHECK(target.indexes() == "part_2026_pkey purchase_pkey settled_pkey");
    CHECK(
        target.target_scalar("SELECT string_agg(indexdef, ' ' ORDER BY indexname COLLATE \"C\") FROM pg_indexes WHERE "
                             "schemaname = 'crm'") ==
        "CREATE INDEX customer_m ON crm.person USING btree (m) CREATE UNIQUE INDEX customer_pkey ON crm.person USING "
        "btree (person_id)");
    CHECK(target.target_scalar("SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE contype = "
                               "'f'") == "FOREIGN KEY (customer) REFERENCES crm.person(person_id)");
    CHECK(target.target_scalar("SELECT to_regclass('part') IS NULL") == "t");
    target.on_source(
        "UPDATE customer SET m = 'bad' WHERE id = 3; DELETE FROM purchase; DELETE FROM customer WHERE id > 1990");
    target.settle();
    CHECK(target.target_scalar(
              "SELECT count(*) || (SELECT m::text FROM crm.person WHERE person_id = 3) FROM crm.person") == "1990bad");
    target.stop();
}

TEST_CASE("a column that a rule leaves out may be NULL, and a foreign key to what is not copied is no obstacle") {
    Shop target;
    target.on_source(
        "ALTER TABLE customer ADD ssn text NOT NULL DEFAULT 'x'; ALTER TABLE customer ALTER ssn DROP DEFAULT");
    target.on_source(
        "INSERT INTO customer (ssn) SELECT i FROM generate_series(1, 10) i; INSERT INTO purchase (customer) VALUES "
        "(1)");
    const std::string rules =
        file_with("rules.yaml", "tables:\n  customer:\n    - {type: exclude_column, column: ssn}\n");
    target.start_replicator();
    target.start_worker(target.sync({"--rules-config", rules}));
    target.settle();
    CHECK(target.target_scalar("SELECT count(*) FROM customer WHERE ssn IS NULL") == "10");
    target.stop();

    Shop with_default;
    with_default.on_source("ALTER TABLE customer ADD ssn text NOT NULL DEFAULT 'secret'");
    with_default.on_source("INSERT INTO customer (n) SELECT i FROM generate_series(1, 10) i");
    with_default.start_replicator();
    with_default.start_worker(with_default.sync({"--rules-config", rules}));
    with_default.settle();
    CHECK(with_default.target_scalar("SELECT count(*) FROM customer WHERE ssn IS NULL") == "10");
    CHECK(with_default.target_scalar("SELECT count(*) FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) ~ 'secret'") ==
          "0");
    with_default.stop();

    Shop child;
    child.on_source(rows);
    child.on_target("CREATE TABLE customer (id bigint PRIMARY KEY)");
    child.start_replicator({"--copy-and-stream", "--tables", "settled,purchase"});
    child.start_worker(child.sync());
    child.check_equal({"purchase"});
    CHECK(child.worker().err().find("unable to create FK CONSTRAINT 'public.purchase' on the target: "
                                    "insert or update on table \"purchase\" violates foreign key constraint "
                                    "\"purchase_customer_fkey\" (SQLSTATE 23503)") != std::string::npos);
    child.stop();
}

TEST_CASE("partitions under their root's name, which is routed to another one, into an empty target") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF part "
        "FOR VALUES FROM (0) TO (100); INSERT INTO part VALUES (1, 'one')");
    const std::string routes = file_with("routes.yaml", "tables:\n  part: {to: all_parts}\n");
    pipeline.start_replicator({"--copy-and-stream", "--publish-via-partition-root", "--tables", "settled,part"});
    pipeline.start_worker({"--routing-config", routes, "--target-sync-schema", "--source-url", pipeline.source_url()});
    pipeline.settle();
    pipeline.on_source(
        "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200); INSERT INTO part VALUES (101, 'two'); "
        "UPDATE part SET v = 'new' WHERE id = 1");
    pipeline.settle();
    CHECK(pipeline.target_rows("all_parts") == std::vector<std::string>{"(1,new)", "(101,two)"});
    pipeline.stop();
}

TEST_CASE("partitions under their root's name, into an empty target") {
    Shop target;
    target.on_source(rows);
    target.on_source(
        "CREATE TABLE part_2027 PARTITION OF part FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY HASH "
        "(id); CREATE TABLE part_2027_a PARTITION OF part_2027 FOR VALUES WITH (MODULUS 1, REMAINDER 0); ALTER TABLE "
        "part ADD v text NOT NULL DEFAULT 'old'; CREATE INDEX part_v ON part (v)");
    const std::string rules = file_with("rules.yaml", "tables:\n  part:\n    - {type: exclude_column, column: no}\n");
    target.on_source("ALTER TABLE part ADD no text NOT NULL DEFAULT 'x'; ALTER TABLE part ALTER no DROP DEFAULT");
    target.start_replicator({"--copy-and-stream", "--publish-via-partition-root", "--tables", "settled,part"});
    target.start_worker(target.sync({"--rules-config", rules}));
    const auto check = [&] {
        target.settle();
        for (const std::string query :
             {"SELECT string_agg(tableoid::regclass || ' ' || id || ' ' || at || ' ' || v, ',' ORDER BY id) FROM part",
              "SELECT string_agg(indexname, ' ' ORDER BY indexname COLLATE \"C\") FROM pg_indexes WHERE tablename LIKE "
              "'part%'"})
            CHECK(target.target_scalar(query) == target.source_scalar(query));
    };
    check();
    target.on_source(
        "UPDATE part SET at = '2027-05-06', v = 'moved' WHERE id <= 10; UPDATE part SET v = 'new' WHERE id = 11; "
        "DELETE "
        "FROM part WHERE id = 12; INSERT INTO part VALUES (1000, '2027-01-01', 'in', 'y')");
    check();
    target.stop();
}
