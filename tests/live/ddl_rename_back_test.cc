// A table that is renamed, written, renamed back and dropped while no one looks: what it got under the other name is
// there when more follows under its own.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"

using namespace pgsluice::test;

TEST_CASE("ddl: a table that had another name for a while, and was dropped and made again since") {
    Pipeline group;
    group.on_source("CREATE TABLE t (id int PRIMARY KEY, k int UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2)");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.start_worker({"--target-sync-schema", "--source-url", group.source_url()});
    group.settle();
    group.stop_replicator();
    group.on_source("ALTER TABLE t RENAME TO u");
    group.on_source("UPDATE u SET k = 10 WHERE id = 1; INSERT INTO u VALUES (3, 3)");
    group.on_source("ALTER TABLE u RENAME TO t");
    group.on_source("UPDATE t SET k = 1 WHERE id = 2; UPDATE t SET k = 2 WHERE id = 3");
    group.on_source("DROP TABLE t");
    group.on_source("CREATE TABLE t (id int PRIMARY KEY, k int UNIQUE); INSERT INTO t VALUES (7, 7)");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    await_same_databases(group);
    group.stop();
}
