// Replicator and worker die while a worker reads the snapshot from the source; the target is exact nevertheless.
#include <doctest/doctest.h>

#include "tests/support/direct_group.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

struct Killed : DirectGroup {
    Killed() { make_tables(); }

    void replicator_dies_at(const std::string& place) {
        CAPTURE(place);
        change(1);
        start_direct_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", place}});
        start_direct_worker();
        must_die(replicator());
        change(2);
        kill_replicator();
        start_direct_replicator();
        change(3);
        check_equal(tables());
        stop();
    }

    void worker_dies_at(const std::string& place) {
        CAPTURE(place);
        start_direct_replicator();
        start_direct_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        must_die(worker());
        change(1);
        kill_worker();
        start_direct_worker();
        change(2);
        check_equal(tables());
        CHECK(messages("snapshot-begin") == 1);  // it goes on with what it had loaded
        stop();
    }
};

}  // namespace

TEST_CASE("the replicator dies once at each place of a direct snapshot" * slow) {
    for (const std::string place :
         {"after-group", "after-slot", "direct-held", "before-snapshot-end", "after-snapshot-end"})
        Killed().replicator_dies_at(place);
}

TEST_CASE("the worker dies once at each place of a direct snapshot") {
    for (const std::string place :
         {"direct-range-read", "direct-range-read:9", "postgres-load-before-commit:5", "postgres-load-after-commit",
          "postgres-load-after-commit:7", "direct-all-loaded", "direct-reported", "snapshot-end-applied"})
        Killed().worker_dies_at(place);
}

// What it has loaded of the dead epoch must not count for the next one.
TEST_CASE("the replicator is killed while the worker has loaded a part of a direct snapshot, and then the worker") {
    Killed group;
    group.start_direct_replicator();
    group.start_direct_worker({}, {{"PGSLUICE_FAILPOINT", "postgres-load-after-commit:20"}});
    Killed::must_die(group.worker());
    group.kill_worker();
    CHECK(group.target_scalar("SELECT count(*) > 10 FROM pgsluice.loaded") == "t");
    group.change(1);
    group.kill_replicator();
    SUBCASE("the worker begins first") {
        group.start_direct_worker();
        CHECK(says(group.worker(), "the source does not hold the snapshot of epoch 1 any more"));
        group.start_direct_replicator();
    }
    SUBCASE("the replicator begins first") {
        group.start_direct_replicator();
        CHECK(says(group.replicator(), "(epoch 2)"));
        group.start_direct_worker();
    }
    SUBCASE("the next snapshot comes through the stream") {
        group.start_replicator({"--copy-and-stream"});
        group.start_direct_worker();
    }
    group.change(2);
    group.check_equal(DirectGroup::tables());
    group.stop();
}
