// The program dies once at each place that a DDL command passes, and at those of the copy that a rewritten table needs;
// afterwards catalogs and rows are those of the source.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/ddl_state.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl", "--all-schemas"};

constexpr const char* schema = R"(
CREATE SCHEMA f;
CREATE TABLE f.t (id int PRIMARY KEY, v text, n int);
CREATE TABLE f.keyless (n int, v text);
CREATE TABLE f.parts (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE f.parts_1 PARTITION OF f.parts FOR VALUES FROM (0) TO (100))";

// Each a transaction. A command that was applied twice, or not, shows in the catalogs or stops the worker; a row that
// was, in the rows.
const std::vector<std::string> steps = {
    "INSERT INTO f.t SELECT i, 'a', i FROM generate_series(1, 50) i; INSERT INTO f.keyless VALUES (1, 'a')",
    "ALTER TABLE f.t ADD COLUMN added timestamptz DEFAULT now()",
    "BEGIN; INSERT INTO f.t VALUES (60, 'b', 1); ALTER TABLE f.t RENAME v TO w; INSERT INTO f.keyless VALUES (2, 'b');"
    "ALTER TABLE f.keyless ADD COLUMN more int DEFAULT 7; INSERT INTO f.keyless VALUES (3, 'c', 8); COMMIT",
    "CREATE TYPE f.mood AS ENUM ('good', 'bad'); ALTER TABLE f.t ADD COLUMN m f.mood DEFAULT 'bad'",
    "ALTER TYPE f.mood ADD VALUE 'so so' BEFORE 'bad'",
    "UPDATE f.t SET m = 'so so', w = 'changed' WHERE id % 3 = 0; UPDATE f.t SET id = id + 1000 WHERE id % 7 = 0",
    "CREATE TABLE f.parts_2 PARTITION OF f.parts FOR VALUES FROM (100) TO (200)",
    "INSERT INTO f.parts SELECT i, 'p' FROM generate_series(90, 110) i",
    "CREATE INDEX t_w ON f.t (w); CREATE INDEX parts_v ON f.parts (v)",
    "ALTER TABLE f.t DROP COLUMN n",
    "ALTER TABLE f.parts DETACH PARTITION f.parts_1; DELETE FROM f.parts_1 WHERE id > 95",
    "ALTER INDEX f.t_w RENAME TO t_x; DROP INDEX f.parts_v; CREATE SEQUENCE f.s INCREMENT 3",
    "INSERT INTO f.t (id, w) VALUES (70, 'last'); INSERT INTO f.keyless VALUES (4, 'd', 9)",
};
// The rows come again.
const std::string rewrite =
    "BEGIN; INSERT INTO f.t VALUES (80, 'x', 1); ALTER TABLE f.t ADD COLUMN u uuid DEFAULT gen_random_uuid(), "
    "ADD COLUMN ser serial; INSERT INTO f.t (id, v) VALUES (81, 'y'); COMMIT";

struct Altered : Pipeline {
    Altered() {
        on_both(schema);
        on_source("INSERT INTO f.t SELECT i, 'before', i FROM generate_series(200, 220) i");
        start(tracked);
        settle();
        stop();
    }

    void run_steps() {
        for (const std::string& step : steps) on_source(step);
    }
    void replicator_dies(const std::string& place, const std::string& first) {
        start_worker();
        if (first.empty())
            run_steps();  // before it starts: they come in few blocks
        else
            on_source(first);
        start_replicator(tracked, {{"PGSLUICE_FAILPOINT", place}});
        must_die(replicator());
        start_replicator(tracked);
        check();
    }
    void worker_dies(const std::string& place, const std::string& first) {
        start_replicator(tracked);
        if (first.empty())
            run_steps();
        else
            on_source(first);
        start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        must_die(worker());
        start_worker();
        check();
    }
    void check() {
        const auto difference = [&] {
            return ddl_difference(ddl_state(shared_servers().source, source_db()),
                                  ddl_state(shared_servers().target, target_db()));
        };
        settle();
        // Rows that are copied again come after the mark.
        eventually("catalogs and rows are equal", [&] { return difference().empty(); });
        CHECK(difference() == "");
        on_source("INSERT INTO f.keyless VALUES (9, 'after')");
        settle();
        CHECK(difference() == "");
        stop();
    }
};

}  // namespace

TEST_CASE("the replicator dies once at each place of a DDL message") {
    for (const std::string place : {"ddl-decoded", "ddl-decoded:4", "ddl-decoded:11", "after-publish",
                                    "after-publish:2", "before-feedback", "after-feedback"}) {
        CAPTURE(place);
        Altered().replicator_dies(place, "");
    }
}

TEST_CASE("the worker dies once at each place of a DDL message") {
    for (const std::string place :
         {"postgres-before-ddl", "postgres-before-ddl:5", "postgres-after-ddl", "postgres-after-ddl:3",
          "postgres-after-ddl:9", "postgres-before-commit", "postgres-after-commit", "after-apply"}) {
        CAPTURE(place);
        Altered().worker_dies(place, "");
    }
}

TEST_CASE("the replicator dies once at each place of copying a rewritten table again" * slow) {
    for (const std::string place : {"ddl-decoded", "after-record", "before-added-copy", "copy-published",
                                    "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Altered().replicator_dies(place, rewrite);
    }
}

TEST_CASE("the worker dies once at each place of loading a rewritten table again" * slow) {
    for (const std::string place :
         {"postgres-before-ddl", "postgres-after-ddl", "postgres-before-commit", "postgres-after-commit",
          "postgres-load-before-commit", "postgres-load-after-commit", "snapshot-end-applied"}) {
        CAPTURE(place);
        Altered().worker_dies(place, rewrite);
    }
}

TEST_CASE("the worker dies before it builds an index beside the stream") {
    const std::vector<std::string> beside = {"--ddl-build-indexes", "concurrently"};
    Altered group;
    group.start_replicator(tracked);
    group.start_worker(beside, {{"PGSLUICE_FAILPOINT", "postgres-index-build"}});
    group.on_source("CREATE UNIQUE INDEX i ON f.t (id, v)");
    Pipeline::must_die(group.worker());
    group.start_worker(beside);
    group.check();
}
