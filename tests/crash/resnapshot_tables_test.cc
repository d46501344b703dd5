// Single tables are copied again, with writers at full speed on them and whoever dies at whatever place.
#include <doctest/doctest.h>

#include <string>

#include "tests/crash/copy_writer.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

// All tables are copied and streamed, then spoilt on the target, and asked for again.
struct CopyingAgain : Pipeline {
    CopyWriter writer;

    CopyingAgain()
        : writer((on_both(CopyWriter::schema()), on_source(CopyWriter::rows()), shared_postgres()), source_db(), 7, 2) {
        start();
        settle();
        stop_replicator();
        on_target(
            "INSERT INTO keyed VALUES (-1, 'spoilt'); INSERT INTO keyless VALUES (-1, 'spoilt');"
            "INSERT INTO whole VALUES (-1, 'spoilt')");
        const Finished asked = run({PGSLUICE_BINARY, "resnapshot", "--group", group(), "--nats-url",
                                    shared_nats().url(), "--tables", "keyed,keyless,whole"});
        INFO(asked.err);
        REQUIRE(asked.code == 0);
    }

    void check() { end(writer, CopyWriter::tables()); }
};

}  // namespace

TEST_CASE("the replicator dies once at each place of copying tables again" * slow) {
    for (const std::string place :
         {"after-record", "before-added-copy", "copy-published:3", "before-snapshot-end", "after-snapshot-end"}) {
        CAPTURE(place);
        CopyingAgain again;
        again.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", place}});
        again.must_die(again.replicator());
        again.kill_replicator();
        again.start_replicator();
        again.check();
    }
}

TEST_CASE("the worker dies once at each place of loading tables again") {
    for (const std::string place : {"postgres-load-after-commit", "snapshot-end-applied"}) {
        CAPTURE(place);
        CopyingAgain again;
        again.stop_worker();
        again.start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        again.start_replicator();
        again.must_die(again.worker());
        again.kill_worker();
        again.start_worker();
        again.check();
    }
}
