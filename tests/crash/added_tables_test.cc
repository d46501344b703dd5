// Tables that join a running group are copied, with writers at full speed on them and whoever dies at whatever place.
#include <doctest/doctest.h>

#include <string>

#include "tests/crash/copy_writer.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> few = {"--copy-and-stream", "--tables", "settled"};
const std::vector<std::string> all = {"--copy-and-stream", "--tables", "settled,keyed,keyless,whole"};

// Streams `settled` alone; the writers are at work on the tables that are to join.
struct Joining : Pipeline {
    CopyWriter writer;

    Joining()
        : writer((on_both(CopyWriter::schema()), on_source(CopyWriter::rows()), shared_postgres()), source_db(), 7, 2) {
        start(few);
        settle();
        stop_replicator();
    }

    void check() {
        end(writer, CopyWriter::tables());
        CHECK(source_scalar("SELECT obj_description(oid, 'pg_publication') IS NULL FROM pg_publication WHERE pubname = "
                            "'pgsluice_" +
                            group() + "'") == "t");
    }
};

}  // namespace

TEST_CASE("tables join a running group") {
    Joining joining;
    joining.start_replicator(all);
    joining.check();
}

TEST_CASE("the replicator dies once at each place of the copy of tables that join" * slow) {
    for (const std::string place :
         {"before-added-copy", "copy-published:3", "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Joining joining;
        joining.start_replicator(all, {{"PGSLUICE_FAILPOINT", place}});
        joining.must_die(joining.replicator());
        joining.kill_replicator();
        joining.start_replicator(all);
        joining.check();
    }
}

TEST_CASE("the worker dies once at each place of loading tables that join" * slow) {
    for (const std::string place : {"postgres-load-after-commit", "snapshot-end-applied"}) {
        CAPTURE(place);
        Joining joining;
        joining.stop_worker();
        joining.start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        joining.start_replicator(all);
        joining.must_die(joining.worker());
        joining.kill_worker();
        joining.start_worker();
        joining.check();
    }
}

TEST_CASE("an unfinished copy of joined tables is discarded when they leave again") {
    Joining joining;
    joining.start_replicator(all, {{"PGSLUICE_FAILPOINT", "before-snapshot-end"}});
    joining.must_die(joining.replicator());
    joining.kill_replicator();
    joining.writer.stop();
    SUBCASE("and their rows are thrown away") { joining.start_replicator(few); }
    SUBCASE("or when nothing is to be copied any more") {
        joining.start_replicator({"--stream", "--tables", "settled"});
    }
    joining.settle();
    for (const std::string& table : CopyWriter::tables())
        CHECK(joining.target_scalar("SELECT count(*) FROM " + table) == "0");
    joining.stop_replicator();
    // Another time they are copied after all.
    joining.start_replicator(all);
    joining.settle();
    joining.check_equal(CopyWriter::tables());
    joining.stop();
}
