// Whoever dies while a recopy is left out: the rows that the target has are neither emptied nor lost, the copy writes
// over them, and nothing of it stays noted.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl"};
const std::vector<std::string> keeping = {"--ddl-policy", "recopy=ignore"};

// All rows are written over; `own` is the target's, and would be gone with a row that was emptied.
struct Kept : Pipeline {
    Kept() {
        on_both(
            "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE r (id int PRIMARY KEY, v text) PARTITION BY "
            "RANGE (id); CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (0) TO (100); CREATE TABLE r2 PARTITION OF r "
            "FOR VALUES FROM (100) TO (1000)");
        for (const std::string table : {"t", "r"})
            on_source("INSERT INTO " + table + " SELECT i, repeat('v', i % 7) FROM generate_series(1, 300) i");
        start_replicator(tracked);
        start_worker(keeping);
        settle();
        stop();
        on_target("ALTER TABLE t ADD own int; UPDATE t SET own = id; ALTER TABLE r ADD own int; UPDATE r SET own = id");
    }
    void alter() {
        for (const std::string table : {"t", "r"})
            on_source("BEGIN; INSERT INTO " + table + " VALUES (301, 'before'); ALTER TABLE " + table +
                      " ALTER v TYPE int USING length(v), ADD n bigserial; UPDATE " + table +
                      " SET v = -1 WHERE id = 7; COMMIT");
    }
    void replicator_dies(const std::string& place) {
        start_worker(keeping);
        alter();
        start_replicator(tracked, {{"PGSLUICE_FAILPOINT", place}});
        must_die(replicator());
        on_source("UPDATE t SET v = -2 WHERE id = 8; INSERT INTO r (id, v) VALUES (302, 5)");
        start_replicator(tracked);
        check();
    }
    void worker_dies(const std::string& place) {
        start_replicator(tracked);
        alter();
        start_worker(keeping, {{"PGSLUICE_FAILPOINT", place}});
        must_die(worker());
        start_worker(keeping);
        check();
    }
    void check() {
        settle();
        for (const std::string table : {"t", "r"}) {
            CAPTURE(table);
            const std::string rows = "(SELECT id, v, n FROM " + table + ")";
            const auto equal = [&] {
                return target_scalar("SELECT count(*) FROM pg_attribute WHERE attname = 'n' AND attrelid = '" + table +
                                     "'::regclass") == "1" &&
                       source_rows(rows) == target_rows(rows);
            };
            CHECK(eventually("the copy has written over the rows", equal));
            CHECK(target_scalar("SELECT count(*) FROM " + table + " WHERE own = id") == "300");
        }
        CHECK(eventually("nothing stays noted", [&] {
            return target_scalar("SELECT count(*) FROM pgsluice.unchecked WHERE class = 'kept'") == "0";
        }));
        on_source("UPDATE t SET v = 99 WHERE id = 9; DELETE FROM r WHERE id = 150");
        settle();
        CHECK(source_rows("(SELECT id, v, n FROM t)") == target_rows("(SELECT id, v, n FROM t)"));
        CHECK(source_rows("(SELECT id, v, n FROM r)") == target_rows("(SELECT id, v, n FROM r)"));
        stop();
    }
};

}  // namespace

TEST_CASE("the worker dies once at each place of a recopy that is left out") {
    for (const std::string place :
         {"postgres-before-ddl", "postgres-before-ddl:2", "postgres-after-ddl", "postgres-after-ddl:2",
          "postgres-before-commit", "postgres-after-commit", "postgres-load-before-commit",
          "postgres-load-before-commit:2", "postgres-load-after-commit", "postgres-load-after-commit:2",
          "postgres-snapshot-ended", "snapshot-end-applied"}) {
        CAPTURE(place);
        Kept().worker_dies(place);
    }
}

TEST_CASE("the replicator dies once at each place of a recopy that is left out" * slow) {
    for (const std::string place : {"ddl-decoded", "after-record", "before-added-copy", "copy-published",
                                    "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Kept().replicator_dies(place);
    }
}
