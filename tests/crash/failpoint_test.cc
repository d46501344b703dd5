// The program dies once at each named place of the copy and of the first start; the target is exact nevertheless.
// Places that the stream passes all the time are the nemesis's.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/pipeline.h"
#include "tests/support/row_changes.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tables = {"keyed", "keyless", "whole"};

struct Copied : Pipeline {
    Copied() {
        on_both(R"(CREATE TABLE keyed (id int PRIMARY KEY, pad text);
                   CREATE TABLE keyless (n int, pad text);
                   CREATE TABLE whole (n int, note text);
                   ALTER TABLE whole REPLICA IDENTITY FULL)");
        on_source(R"(INSERT INTO keyed SELECT i, repeat('k', 100) FROM generate_series(1, 8000) AS i;
                     INSERT INTO keyless SELECT i / 2, repeat('n', 100) FROM generate_series(1, 8000) AS i;
                     INSERT INTO whole SELECT i % 10, 'same' FROM generate_series(1, 200) AS i)");
    }

    void change(int number) { on_source(row_changes(number)); }

    void replicator_dies_at(const std::string& place, const std::string& mode) {
        CAPTURE(place);
        CAPTURE(mode);
        change(1);
        start_replicator({mode}, {{"PGSLUICE_FAILPOINT", place}});
        start_worker();
        must_die(replicator());
        change(2);
        kill_replicator();
        start_replicator({mode});
        if (mode == "--stream") {
            eventually("the stream begins",
                       [&] { return replicator().err().find("streaming begins") != std::string::npos; });
        }
        change(3);
        settle();
        if (mode == "--copy-and-stream") check_equal(tables);
        stop();
    }

    void worker_dies_at(const std::string& place) {
        CAPTURE(place);
        start_replicator();
        start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        must_die(worker());
        change(1);
        kill_worker();
        start_worker();
        change(2);
        check_equal(tables);
        CHECK(worker().err().find("starts over") == std::string::npos);  // it goes on with what it had loaded
        stop();
    }
};

}  // namespace

TEST_CASE("the replicator dies once at each place of the copy") {
    for (const std::string place : {"after-group", "after-slot", "copy-block", "copy-published", "copy-published:4",
                                    "before-snapshot-end", "after-snapshot-end"}) {
        Copied().replicator_dies_at(place, "--copy-and-stream");
    }
}

TEST_CASE("the replicator dies once at each place of a first start without a copy") {
    for (const std::string place : {"after-group", "after-slot"}) {
        Copied stream;
        stream.replicator_dies_at(place, "--stream");
        // What was committed behind the second start is there, whole.
        CHECK(stream.target_scalar("SELECT count(*) FROM keyless WHERE n = -3") == "2");
    }
}

TEST_CASE("the worker dies once at each place of loading the copy") {
    for (const std::string place :
         {"postgres-load-before-commit", "postgres-load-after-commit", "postgres-load-before-commit:2",
          "postgres-load-after-commit:2", "snapshot-end-applied"}) {
        Copied().worker_dies_at(place);
    }
}
