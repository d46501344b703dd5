// Foreign keys that are made or checked while the rows that they refer to are still to come with a copy: their table
// was emptied, for the source wrote its rows again, or has just been made.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Keys : Pipeline {
    Keys() {
        on_both(
            "CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c (id int PRIMARY KEY, p int); "
            "CREATE TABLE k (id int PRIMARY KEY, p int CONSTRAINT k_p REFERENCES p); "
            "COMMENT ON CONSTRAINT k_p ON k IS 'it''s checked'");
        on_source(
            "INSERT INTO p SELECT i, 'v' || i FROM generate_series(1, 50) i; INSERT INTO c SELECT i, i FROM "
            "generate_series(1, 50) i; INSERT INTO k SELECT i, i FROM generate_series(1, 50) i");
        start({"--copy-and-stream", "--track-ddl"});
        settle();
    }
    void finish() {
        await_same_databases(*this);
        CHECK(eventually("nothing is left to check", [&] {
            return target_scalar("SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == "0" &&
                   target_scalar("SELECT count(*) FROM pgsluice.unchecked WHERE class <> 'table'") == "0";
        }));
        stop();
    }
};

constexpr const char* rewrite = "ALTER TABLE p ALTER v TYPE int USING length(v); ";

}  // namespace

TEST_CASE("a foreign key is made") {
    Keys group;
    group.on_source(std::string("BEGIN; ") + rewrite +
                    "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p; COMMIT");
    group.finish();
    CHECK(contains(group.target_scalar("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'c_p'"),
                   "REFERENCES p(id)"));
}

TEST_CASE("a foreign key is validated") {
    Keys group;
    group.on_source("ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p NOT VALID");
    group.on_source(std::string("BEGIN; ") + rewrite + "ALTER TABLE c VALIDATE CONSTRAINT c_p; COMMIT");
    group.finish();
}

TEST_CASE("a foreign key is enforced, which it was not") {
    if (shared_postgres().version() < 180000) return;
    Keys group;
    group.on_source(
        "CREATE TABLE m (id int PRIMARY KEY, p int) PARTITION BY RANGE (id); CREATE TABLE m1 PARTITION OF m DEFAULT; "
        "ALTER TABLE m ADD CONSTRAINT m_p FOREIGN KEY (p) REFERENCES p NOT ENFORCED; ALTER TABLE c ADD CONSTRAINT c_p "
        "FOREIGN KEY (p) REFERENCES p NOT ENFORCED; COMMENT ON CONSTRAINT c_p ON c IS 'so'; INSERT INTO m VALUES (1, "
        "1)");
    group.on_source(std::string("BEGIN; ") + rewrite +
                    "ALTER TABLE c ALTER CONSTRAINT c_p ENFORCED; ALTER TABLE m ALTER CONSTRAINT m_p ENFORCED; COMMIT");
    group.finish();
}

TEST_CASE("columns that foreign keys join get another type") {
    Keys group;
    SUBCASE("of the table that refers") {
        group.on_source(std::string("BEGIN; ") + rewrite + "ALTER TABLE k ALTER p TYPE bigint; COMMIT");
    }
    SUBCASE("of the one that is referred to, by the command that empties it") {
        group.on_source("ALTER TABLE p ALTER id TYPE bigint USING id::bigint");
    }
    group.finish();
    CHECK(
        group.target_scalar("SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 'k_p'") ==
        "it's checked");
}

TEST_CASE("a foreign key refers to a table that was made and filled in the same transaction") {
    Keys group;
    group.on_source(
        "BEGIN; CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n VALUES (1), (2); ALTER TABLE c ADD COLUMN n int NOT "
        "NULL DEFAULT 1 CONSTRAINT c_n REFERENCES n; COMMIT");
    group.finish();
}

TEST_CASE("a foreign key that has gone or has another name meanwhile, and a worker that was killed") {
    Keys group;
    group.stop_worker();
    group.on_source(
        std::string("BEGIN; ") + rewrite +
        "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p, ADD CONSTRAINT gone FOREIGN KEY (p) "
        "REFERENCES p; ALTER TABLE c DROP CONSTRAINT gone; ALTER TABLE c RENAME CONSTRAINT c_p TO c_to_p; "
        "ALTER TABLE c RENAME TO c2; COMMIT");
    group.start_worker();
    CHECK(says(group.worker(), "foreign key 'c_p' on 'public.c' is checked once the rows it refers to are copied"));
    group.kill_worker();
    group.start_worker();
    group.finish();
}

// Before PostgreSQL 18 one of these cannot be NOT VALID.
TEST_CASE("foreign keys of partitioned tables") {
    Keys group;
    group.on_source(
        "CREATE TABLE m (id int PRIMARY KEY, p int CONSTRAINT m_p REFERENCES p) PARTITION BY RANGE (id); CREATE TABLE "
        "m1 PARTITION OF m FOR VALUES FROM (0) TO (20); CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (20) TO (90) "
        "PARTITION BY LIST (id); CREATE TABLE m21 PARTITION OF m2 DEFAULT; COMMENT ON CONSTRAINT m_p ON m IS 'so'");
    group.on_source("INSERT INTO m SELECT i, i FROM generate_series(1, 50) i");
    await_same_databases(group);
    SUBCASE("is made") {
        group.on_source(std::string("BEGIN; ") + rewrite +
                        "ALTER TABLE m ADD CONSTRAINT m_too FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE; ALTER "
                        "TABLE m2 ADD CONSTRAINT m2_too FOREIGN KEY (p) REFERENCES p; COMMIT");
    }
    SUBCASE("the column that it refers to gets another type") {
        group.on_source("ALTER TABLE p ALTER id TYPE bigint USING id::bigint");
    }
    SUBCASE("is made and commented on") {
        group.on_source(std::string("BEGIN; ") + rewrite +
                        "ALTER TABLE m ADD CONSTRAINT \"m on\" FOREIGN KEY (p) REFERENCES p; COMMENT ON CONSTRAINT "
                        "\"m on\" ON m IS 'it''s to be checked'; COMMIT");
    }
    SUBCASE("is made, and altered in a later transaction before the copy is there") {
        group.stop_worker();
        group.on_source(std::string("BEGIN; ") + rewrite +
                        "ALTER TABLE m ADD CONSTRAINT m_too FOREIGN KEY (p) REFERENCES p; COMMIT");
        group.on_source(
            "BEGIN; ALTER TABLE m RENAME CONSTRAINT m_too TO m_also; ALTER TABLE m ALTER CONSTRAINT m_also DEFERRABLE; "
            "COMMENT ON CONSTRAINT m_also ON m IS 'x'; COMMIT");
        group.start_worker();
    }
    SUBCASE("is made and dropped before the copy is there") {
        group.on_source(std::string("BEGIN; ") + rewrite +
                        "ALTER TABLE m ADD CONSTRAINT m_too FOREIGN KEY (p) REFERENCES p; ALTER TABLE m DROP "
                        "CONSTRAINT m_too; COMMIT");
    }
    group.finish();
}

TEST_CASE("a foreign key that the target's own rows do not satisfy still stops the worker") {
    Keys group;
    group.on_target("SET session_replication_role = replica; DELETE FROM p WHERE id = 7");
    group.on_source("ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p");
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "violates foreign key constraint"));
    group.on_target("INSERT INTO p VALUES (7, 'v7')");
    group.start_worker();
    group.finish();
}
