// Schema `pgsluice` is for our own tables: nothing of it is replicated, and nothing that is replicated is written
// there.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

void await_logged(Pipeline& group, const std::string& text) {
    eventually(
        "the replicator says '" + text + "'", [&] { return contains(group.replicator().err(), text); },
        std::chrono::seconds(60));
}

}  // namespace

TEST_CASE("the postgres sink writes to none of our own tables, whatever the stream or a route names") {
    PostgresTarget target;
    target.open();
    const auto progress = make_relation("pgsluice", "progress", {"group text*", "worker text*", "resume_seq bigint"});
    const std::string before = target.scalar("SELECT p::text FROM pgsluice.progress p");
    SinkFeed feed;
    std::string hint;
    std::string said;
    SUBCASE("an insert") {
        said = target.failure(feed.insert(progress, {text("z"), text("postgres"), text("1")}).complete(), &hint);
    }
    SUBCASE("an update") {
        said = target.failure(feed.update(progress, {text("g"), text("postgres"), text("1")}).complete(), &hint);
    }
    SUBCASE("a truncate") { said = target.failure(feed.truncate({progress}).complete(), &hint); }
    SUBCASE("a copy") {
        SnapshotBegin begin;
        begin.epoch = 1;
        try {
            target.sink->begin_snapshot(begin, {progress}, {StreamSeq{50}, {Lsn{9999}, 0}});
        } catch (const Error& error) {
            said = error.what();
            hint = error.hint();
        }
    }
    CHECK(said == "unable to write to 'pgsluice.progress': schema 'pgsluice' is for tables of pgsluice itself");
    CHECK(hint == "Route the source's table to a table of the target.");
    CHECK(target.scalar("SELECT p::text FROM pgsluice.progress p") == before);
}

TEST_CASE("a table of the source that is moved into schema pgsluice leaves the group") {
    Pipeline group;
    group.on_both("CREATE TABLE t (\"group\" text, worker text, resume_seq bigint, PRIMARY KEY (\"group\", worker))");
    group.start({"--copy-and-stream", "--tables", "settled,t"});
    group.settle();
    group.on_source(
        "CREATE SCHEMA pgsluice; ALTER TABLE t RENAME TO progress; ALTER TABLE progress SET SCHEMA pgsluice; "
        "INSERT INTO pgsluice.progress VALUES ('z', 'postgres', 1)");
    await_logged(group,
                 "table 'public.t' is no longer replicated: it is called 'pgsluice.progress' now, and schema "
                 "'pgsluice' is for tables of pgsluice itself; the targets keep the rows they have of it. Move "
                 "it to another schema to continue with it");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM pgsluice.progress") == "1");
    group.on_source("ALTER TABLE pgsluice.progress SET SCHEMA public; ALTER TABLE progress RENAME TO t");
    group.on_source("INSERT INTO t VALUES ('y', 'postgres', 1)");
    eventually(
        "the rows arrive", [&] { return group.source_sum("t") == group.target_sum("t"); }, std::chrono::seconds(60));
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a partition in schema pgsluice is left out") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t DEFAULT");
    group.start({"--copy-and-stream", "--tables", "settled,t"});
    group.settle();
    group.on_source("CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.own_rows PARTITION OF t FOR VALUES IN (1)");
    group.on_source("INSERT INTO t VALUES (1), (2)");
    await_logged(group, "table 'pgsluice.own_rows', which is not one of the group's: they are left out");
    group.settle();
    CHECK(group.target_rows("t") == Lines{"(2)"});
    group.on_source("DROP TABLE pgsluice.own_rows");
    group.check_equal({"t"});
    group.stop();
}
