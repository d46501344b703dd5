// A command that the target refuses ends the worker; once that is mended by hand, all that follows is applied in order.
#include <doctest/doctest.h>

#include "tests/support/ddl_state.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// The target has a duplicate of its own; more commands and rows wait after the one that it refuses, and before it in
// its transaction.
struct Refused : Pipeline {
    Refused() {
        on_both("CREATE SCHEMA f; CREATE TABLE f.t (id int PRIMARY KEY, v text)");
        start_replicator({"--copy-and-stream", "--track-ddl", "--all-schemas"});
        start_worker();
        on_source("INSERT INTO f.t VALUES (1, 'a')");
        settle();
        on_target("INSERT INTO f.t VALUES (100, 'a')");
        on_source(
            "BEGIN; INSERT INTO f.t VALUES (2, 'b'); ALTER TABLE f.t ADD COLUMN n int DEFAULT 7; "
            "ALTER TABLE f.t ADD CONSTRAINT u UNIQUE (v); INSERT INTO f.t VALUES (3, 'c', 8); COMMIT");
        on_source("ALTER TABLE f.t RENAME n TO m");
        on_source("INSERT INTO f.t VALUES (4, 'd', 9)");
        on_source("ALTER TABLE f.t DROP CONSTRAINT u");
        on_source("INSERT INTO f.t VALUES (5, 'd', 10)");
        refused();
    }
    void refused() {
        CHECK(worker().wait(std::chrono::seconds(60)) == 1);
        CHECK(contains(worker().err(), "unable to apply constraint on table 'f.t'"));
        CHECK(contains(worker().err(), "Mend the reason on the target and start the worker again"));
        CHECK(target_rows("f.t") == std::vector<std::string>{"(1,a)", "(100,a)"});  // nothing of its transaction
    }
    Finished ddl(const std::string& what) {
        return run({PGSLUICE_BINARY, "ddl", what, "--group", group(), "--worker-name", "postgres", "--nats-url",
                    shared_nats().url()});
    }
    void mend() { on_target("DELETE FROM f.t WHERE id = 100"); }
    void equal() {
        settle();
        CHECK(ddl_difference(ddl_state(shared_servers().source, source_db()),
                             ddl_state(shared_servers().target, target_db())) == "");
        stop();
    }
};

}  // namespace

TEST_CASE("mended, and started again") {
    Refused group;
    CHECK(contains(group.ddl("list").out, "constraint on table 'f.t'"));
    group.start_worker();
    group.refused();  // nothing was mended
    group.mend();
    group.start_worker();
    group.equal();
}

TEST_CASE("mended, decided and started again") {
    Refused group;
    group.mend();
    CHECK(contains(group.ddl("apply").out, "decided: apply"));
    group.start_worker();
    group.equal();
}

TEST_CASE("left out: what depends on it has nothing to drop, the rest is applied") {
    Refused group;
    CHECK(contains(group.ddl("skip").out, "decided: skip"));
    group.start_worker();
    group.settle();
    CHECK(says(group.worker(), "left out, as decided: constraint on table 'f.t'"));
    group.mend();
    group.equal();
}
