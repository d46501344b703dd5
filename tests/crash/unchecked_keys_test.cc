// Whoever dies while foreign keys wait for a copy: they are made, checked once the copy is there, and nothing stays
// noted.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl"};

struct Keys : Pipeline {
    Keys() {
        on_both(
            "CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c (id int PRIMARY KEY, p int); CREATE TABLE k "
            "(id int PRIMARY KEY, p int CONSTRAINT k_p REFERENCES p); CREATE TABLE m (id int PRIMARY KEY, p int "
            "CONSTRAINT m_p REFERENCES p) PARTITION BY RANGE (id); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) "
            "TO (20); CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (20) TO (90)");
        on_source(
            "INSERT INTO p SELECT i, 'v' || i FROM generate_series(1, 50) i; INSERT INTO c SELECT i, i FROM "
            "generate_series(1, 50) i; INSERT INTO k SELECT i, i FROM generate_series(1, 50) i; INSERT INTO m SELECT "
            "i, i FROM generate_series(1, 50) i");
        start(tracked);
        settle();
        stop();
    }
    void alter() {
        on_source(
            "BEGIN; ALTER TABLE p ALTER v TYPE int USING length(v); ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) "
            "REFERENCES p; ALTER TABLE m ADD CONSTRAINT m_too FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE; COMMENT "
            "ON CONSTRAINT m_too ON m IS 'so'; ALTER TABLE k ALTER p TYPE bigint; COMMIT");
        on_source("INSERT INTO p VALUES (60, 1); INSERT INTO c VALUES (60, 60); INSERT INTO m VALUES (60, 60)");
    }
    void replicator_dies(const std::string& place) {
        start_worker();
        alter();
        start_replicator(tracked, {{"PGSLUICE_FAILPOINT", place}});
        must_die(replicator());
        start_replicator(tracked);
        check();
    }
    void worker_dies(const std::string& place) {
        start_replicator(tracked);
        alter();
        start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        must_die(worker());
        start_worker();
        check();
    }
    void check() {
        await_same_databases(*this);
        CHECK(eventually("nothing is left to check", [&] {
            return target_scalar("SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == "0" &&
                   target_scalar("SELECT count(*) FROM pgsluice.unchecked") == "0";
        }));
        stop();
    }
};

}  // namespace

TEST_CASE("the worker dies once at each place of keys that wait for a copy") {
    std::vector<std::string> places = {
        "postgres-before-ddl",     "postgres-before-ddl:3", "postgres-after-ddl:2",        "postgres-after-ddl:4",
        "postgres-before-commit",  "postgres-after-commit", "postgres-load-before-commit", "postgres-load-after-commit",
        "postgres-snapshot-ended", "snapshot-end-applied",  "postgres-key-check",          "postgres-key-checked",
        "postgres-key-checked:2"};
    // From PostgreSQL 18 on the partitioned table's key waits, and not one of each partition.
    if (shared_postgres().version() < 180000)
        places.insert(places.end(), {"postgres-key-checked:3", "postgres-key-above", "postgres-key-above-made"});
    for (const std::string& place : places) {
        CAPTURE(place);
        Keys().worker_dies(place);
    }
}

TEST_CASE("the replicator dies once at each place of keys that wait for a copy" * slow) {
    for (const std::string place : {"ddl-decoded", "ddl-decoded:4", "after-record", "before-added-copy",
                                    "copy-published", "before-snapshot-end", "after-snapshot-end"}) {
        CAPTURE(place);
        Keys().replicator_dies(place);
    }
}
