// Tables that are made while a replicator with --track-ddl waits for other transactions, before its slot is there.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("a table that is made before the slot is there is copied with the others") {
    Pipeline group;
    group.on_source("CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    sql::Connection open(shared_postgres().connect(group.source_db()));
    open.exec("BEGIN; SELECT pg_current_xact_id()");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    eventually("DDL is captured",
               [&] { return group.source_scalar("SELECT count(*) > 0 FROM pg_event_trigger") == "t"; });
    group.on_source("CREATE TABLE p1 (id int PRIMARY KEY); INSERT INTO p1 VALUES (1)");
    open.exec("COMMIT");
    group.await_stream();
    group.on_source("ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10)");
    group.start_worker({"--target-sync-schema", "--source-url", group.source_url()});
    await_same_databases(group);
    CHECK(contains(group.replicator().err(), "was made before the slot was there: choosing the tables again"));
    group.stop();
}
