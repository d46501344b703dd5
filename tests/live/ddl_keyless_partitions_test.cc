// Partitioned tables whose partitions have no key, in a schema that a running group takes in: left out, so that the
// source does not refuse UPDATE and DELETE, until the last partition has one. Then they come with their rows.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr const char* root = "CREATE TABLE p (id int, v text) PARTITION BY RANGE (id)";
constexpr const char* parts =
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) "
    "TO (20); INSERT INTO p VALUES (1, 'a'), (11, 'b')";

class Keyless : public Pipeline {
   public:
    Keyless() {
        start_replicator({"--copy-and-stream", "--track-ddl"}, {{"PGSLUICE_TABLE_CHECK_MS", "100"}});
        start_worker();
        settle();
    }
    void make() {
        on_source(root);
        on_source(parts);
    }
    void await_logged(const std::string& part) { CHECK(says(replicator(), part)); }
    void await_rows(const std::string& table) {
        CAPTURE(table);
        const bool arrived = eventually(
            "the rows of " + table + " arrive",
            [&] {
                if (!worker().running()) return true;
                return target_scalar("SELECT to_regclass('" + table + "') IS NOT NULL") == "t" &&
                       target_rows(table) == source_rows(table);
            },
            std::chrono::seconds(60));
        INFO("the replicator's messages:\n" << replicator().err());
        INFO("the worker's messages:\n" << worker().err());
        CHECK((arrived && worker().running()));
    }
    void finish() {
        settle();
        on_source("UPDATE p SET v = v || '!'; DELETE FROM p WHERE id = 1; INSERT INTO p VALUES (2, 'c')");
        check_equal({"p", "p1", "p2"});
        CHECK(target_scalar("SELECT relkind FROM pg_class WHERE oid = 'p'::regclass") == "p");
        stop();
    }
};

}  // namespace

TEST_CASE("a partitioned table without a key is left out, and comes with its key") {
    Keyless group;
    group.make();
    group.await_logged("table 'public.p1' is not replicated: it has no replica identity");
    group.on_source("UPDATE p SET v = 'changed'");  // as the group's tables must not keep from
    group.settle();
    group.on_source("ALTER TABLE p ADD PRIMARY KEY (id)");
    for (const char* table : {"p", "p1", "p2"}) group.await_rows(table);
    group.finish();
}

TEST_CASE("partitions are given keys one after the other, their root none") {
    Keyless group;
    group.make();
    group.await_logged("table 'public.p2' is not replicated: it has no replica identity");
    group.on_source("ALTER TABLE p1 ADD PRIMARY KEY (id)");
    group.await_logged("table 'public.p1' is not replicated: partition 'public.p2' of its table 'public.p' has no");
    group.on_source("UPDATE p SET v = 'changed'");
    group.settle();
    group.on_source("ALTER TABLE p2 REPLICA IDENTITY FULL");
    for (const char* table : {"p", "p1", "p2"}) group.await_rows(table);
    group.finish();
}

TEST_CASE("the one partition without a key is dropped") {
    Keyless group;
    group.make();
    group.on_source("ALTER TABLE p1 ADD PRIMARY KEY (id); ALTER TABLE p2 ADD PRIMARY KEY (id)");
    for (const char* table : {"p", "p1", "p2"}) group.await_rows(table);
    group.on_source(
        "CREATE TABLE q (id int, v text) PARTITION BY RANGE (id); CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (1) "
        "TO (10); CREATE TABLE q2 PARTITION OF q FOR VALUES FROM (10) TO (20); INSERT INTO q VALUES (1, 'a'), (11, "
        "'b'); ALTER TABLE q1 ADD PRIMARY KEY (id)");
    group.await_logged("table 'public.q2' is not replicated");
    group.on_source("DROP TABLE q2");
    for (const char* table : {"q", "q1"}) group.await_rows(table);
    group.finish();
}

TEST_CASE("a partitioned table without key and partitions is left out by the sessions that follow, too") {
    Keyless group;
    group.on_source(root);
    group.on_source("CREATE TABLE other (id int PRIMARY KEY)");  // makes the replicator start a new session
    group.await_rows("other");
    group.await_logged("partitioned table 'public.p' has neither a primary key nor partitions yet");
    group.on_source(parts);
    group.on_source("UPDATE p SET v = 'changed'");
    group.on_source("ALTER TABLE p ADD PRIMARY KEY (id)");
    for (const char* table : {"p", "p1", "p2"}) group.await_rows(table);
    group.finish();
}
