// Groups in opposite directions, in a chain and in a ring: what a worker wrote never comes back to where it was made.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/live/compare_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

// Both ways between two databases, set up as replicator/README.md says: first one way with a copy, then back without.
struct TwoWay {
    Pipeline there;
    Pipeline back{shared_servers(), Pipeline::Between{there.target_db(), there.source_db()}};

    explicit TwoWay(const Texts& replicator_more = {}, const std::string& tables = "") {
        there.on_both("CREATE TABLE t (id int PRIMARY KEY, v text);" + tables);
        there.on_source("INSERT INTO t VALUES (1, 'copied'), (2, 'copied')");
        there.always(replicator_more, {});
        back.always(replicator_more, {});
        there.start();
        there.settle();
        back.start_replicator({"--stream"});
        back.start_worker();
        back.await_stream();
        back.settle();
    }

    // Everything that was committed at either end before this has been read by the other end's group, echoes too.
    void settle() {
        there.settle();
        back.settle();
        there.settle();
    }
    void stop() {
        back.stop();
        there.stop();
    }
};

// Inserts rows, whose keys come from the side's own sequence, and changes and removes some of these.
void write(const std::string& dbname, std::atomic<bool>& ended) {
    sql::Connection connection(shared_servers().source.connect(dbname));
    for (int i = 0; i < 300; ++i) {
        const std::string id =
            connection.query("INSERT INTO public.made (v) VALUES ('made') RETURNING id", {}, {1, 1, 1}).text(0, 0);
        connection.exec("BEGIN; UPDATE public.made SET v = v || '.' WHERE id = " + id +
                        "; INSERT INTO public.made (v) VALUES "
                        "('more'); COMMIT");
        if (i % 7 == 0) connection.exec("DELETE FROM public.made WHERE id = " + id);
    }
    ended = true;
}

std::string version_of_row(Pipeline& pipeline, const std::string& id) {
    return pipeline.source_scalar("SELECT xmin || ' ' || v FROM t WHERE id = " + id);
}

// What a group that reads from the pipeline's target is sent, as lines; only what its users write, with --origin none.
std::string read_from_target(Pipeline& reader, const Texts& more) {
    Texts words = more;
    words.insert(words.end(), {"--exit-at-lsn", reader.source_scalar("SELECT pg_current_wal_lsn()")});
    const Finished worker = run(reader.worker_argv("stdout", words));
    INFO(worker.err);
    CHECK(worker.code == 0);
    return worker.out;
}

}  // namespace

TEST_CASE("a write between two groups in opposite directions is neither lost nor sent round") {
    for (const Texts& origin : {Texts{}, Texts{"--origin", "none"}}) {
        TwoWay pair(origin);
        pair.back.stop_worker();
        pair.there.on_source("UPDATE t SET v = 'first' WHERE id = 1");
        pair.there.settle();
        // By now the other group has read 'first', and would write it over this.
        pair.there.on_source("UPDATE t SET v = 'second' WHERE id = 1");
        const std::string written = version_of_row(pair.there, "1");
        pair.back.start_worker();
        pair.settle();
        CHECK(version_of_row(pair.there, "1") == written);
        CHECK(pair.there.target_scalar("SELECT v FROM t WHERE id = 1") == "second");
        const bool left_out = contains(pair.back.worker().err(), "came to the source from there, are left out");
        CHECK(left_out == origin.empty());
        CHECK(contains(pair.back.replicator().err(), "this source is also the target of worker 'postgres' of group"));
        pair.stop();
    }
}

TEST_CASE("a large write, which is read while it runs, is not sent round either") {
    for (const Texts& origin : {Texts{"--read-ahead", "64KiB"}, Texts{"--read-ahead", "64KiB", "--origin", "none"}}) {
        TwoWay pair(origin);
        pair.there.on_source("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(10, 5000) AS i");
        pair.there.settle();
        pair.there.on_target("UPDATE t SET v = 'changed there' WHERE id = 10");
        pair.settle();
        CHECK(pair.there.source_scalar("SELECT v FROM t WHERE id = 10") == "changed there");
        CHECK(pair.there.source_scalar("SELECT count(DISTINCT xmin::text) FROM t WHERE id > 10") == "1");
        pair.there.check_equal({"t"});
        // Before version 16 it is not known of a running transaction whether to leave it out.
        const bool ahead = origin.size() == 2 || shared_postgres().version() >= 160000;
        CHECK(pair.there.source_scalar("SELECT stream_txns > 0 FROM pg_stat_replication_slots WHERE slot_name = "
                                       "'pgsluice_" +
                                       pair.there.group() + "'") == (ahead ? "t" : "f"));
        pair.stop();
    }
}

TEST_CASE("both ways with writers on both sides, each with rows of its own") {
    TwoWay pair({}, "CREATE TABLE made (id bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT 2) PRIMARY KEY, v text)");
    pair.there.on_target("ALTER SEQUENCE made_id_seq RESTART 2");
    std::atomic<bool> here_ended = false;
    std::atomic<bool> there_ended = false;
    std::jthread here([&] { write(pair.there.source_db(), here_ended); });
    std::jthread there([&] { write(pair.there.target_db(), there_ended); });
    here.join();
    there.join();
    REQUIRE(here_ended);
    REQUIRE(there_ended);
    pair.settle();
    const std::string versions = "SELECT md5(string_agg(id || ' ' || xmin, ',' ORDER BY id)) FROM made";
    const std::string before = pair.there.source_scalar(versions);
    pair.there.check_equal({"made"});
    pair.settle();
    CHECK(pair.there.source_scalar(versions) == before);
    // 300 times two rows, of which 43 were deleted.
    CHECK(pair.there.source_scalar("SELECT count(*) || ' ' || count(*) FILTER (WHERE id % 2 = 0) FROM made") ==
          "1114 557");
    pair.stop();
}

TEST_CASE("what a worker copies, changes, repairs and makes is marked on each of its connections") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE big (id int PRIMARY KEY, v text)");
    pipeline.on_source(
        "INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i; "
        "CREATE TABLE made (id int PRIMARY KEY); INSERT INTO made VALUES (1)");
    Pipeline reader(shared_servers(), Pipeline::Between{pipeline.target_db(), pipeline.source_db()});
    const Texts local{"--origin", "none", "--track-ddl", "--schemas", "public"};
    reader.start_replicator(local);
    reader.await_stream();
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--schemas", "public"});
    pipeline.start_worker({"--target-sync-schema", "--source-url", shared_servers().source.url(pipeline.source_db())});
    pipeline.settle();
    pipeline.on_source("UPDATE big SET v = 'changed' WHERE id < 100");
    pipeline.on_source("ALTER TABLE big ADD COLUMN w int");
    pipeline.settle();
    pipeline.on_target("SET session_replication_role = replica; UPDATE big SET v = 'wrong' WHERE id = 5");
    const Finished repaired = run_compare(pipeline, {"--repair"});
    CHECK(contains(repaired.out, "1 row repaired"));
    CHECK(pipeline.target_rows("made").size() == 1);
    pipeline.on_target("INSERT INTO big VALUES (50000, 'mine')");
    const std::string lines = read_from_target(reader, {});
    CAPTURE(lines.substr(0, 2000));
    CHECK(count(lines, "\"LSN\"") == 2);
    CHECK(contains(lines, "\"wrong\""));
    CHECK(contains(lines, "\"mine\""));
    CHECK_FALSE(contains(lines, "\"Type\":\"DDL\""));
    reader.stop_replicator();
    pipeline.stop();
}

TEST_CASE("a chain passes on what came by a worker, unless it is told not to") {
    Pipeline first;
    first.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    first.on_source("INSERT INTO t VALUES (1, 'copied')");
    const std::string third = shared_servers().target.create_database();
    shared_servers().target.sql(third,
                                "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE settled (mark int "
                                "PRIMARY KEY)");
    Pipeline second(shared_servers(), Pipeline::Between{first.target_db(), third});
    second.start_replicator({"--stream"});
    second.start_worker();
    second.await_stream();
    Pipeline local(shared_servers(), Pipeline::Between{first.target_db(), third});
    local.start_replicator({"--stream", "--origin", "none"});
    local.await_stream();
    first.start();
    first.on_source("INSERT INTO t VALUES (2, 'streamed')");
    first.settle();
    first.on_target("INSERT INTO t VALUES (3, 'of the second')");
    second.check_equal({"t"});
    CHECK(second.target_rows("t").size() == 3);
    const std::string lines = read_from_target(local, {});
    CHECK(contains(lines, "of the second"));
    CHECK_FALSE(contains(lines, "copied"));
    CHECK_FALSE(contains(lines, "streamed"));
    local.stop_replicator();
    second.stop();
    first.stop();
}

TEST_CASE("a ring of three ends where a change was made") {
    Pipeline one;
    one.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    const std::string third = shared_servers().target.create_database();
    shared_servers().target.sql(third,
                                "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE settled (mark int "
                                "PRIMARY KEY)");
    Pipeline two(shared_servers(), Pipeline::Between{one.target_db(), third});
    Pipeline three(shared_servers(), Pipeline::Between{third, one.source_db()});
    for (Pipeline* pipeline : {&one, &two, &three}) {
        pipeline->start_replicator({"--stream"});
        pipeline->start_worker();
        pipeline->await_stream();
    }
    one.on_source("INSERT INTO t VALUES (1, 'of the first')");
    two.on_source("INSERT INTO t VALUES (2, 'of the second')");
    three.on_source("INSERT INTO t VALUES (3, 'of the third')");
    const auto round = [&] {
        for (Pipeline* pipeline : {&one, &two, &three, &one, &two}) pipeline->settle();
    };
    round();
    const auto all_versions = [&] {
        std::string all;
        for (Pipeline* pipeline : {&one, &two, &three}) {
            CHECK(pipeline->source_rows("t").size() == 3);
            all += pipeline->source_scalar("SELECT string_agg(xmin || v, ',' ORDER BY id) FROM t") + ";";
        }
        return all;
    };
    const std::string before = all_versions();
    round();
    CHECK(all_versions() == before);
    for (Pipeline* pipeline : {&three, &two, &one}) pipeline->stop();
}

TEST_CASE("a role that may not mark what it writes does not write where a group reads, or says so") {
    Pipeline there;
    there.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    const std::string role = "writer_" + there.target_db();
    there.on_target("CREATE ROLE " + role + " LOGIN; GRANT CREATE ON DATABASE " + there.target_db() + " TO " + role +
                    "; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO " + role);
    const Texts as_role{"--target-user", role};
    // One way it works, and says what does not hold.
    there.start_replicator();
    there.start_worker(as_role);
    there.settle();
    CHECK(contains(there.worker().err(), "is not marked with a replication origin"));
    // Once a group reads there, it stops.
    Pipeline back(shared_servers(), Pipeline::Between{there.target_db(), there.source_db()});
    back.start_replicator({"--stream"});
    CHECK(there.worker().wait() == 1);
    CHECK(contains(there.worker().err(),
                   "unable to write to the target: a group reads from it (slot 'pgsluice_" + back.group() + "')"));
    there.start_worker(as_role);
    CHECK(there.worker().wait() == 1);
    const std::string hint = hint_in(there.worker().err());
    // Both ways out of the hint.
    Texts unmarked = as_role;
    unmarked.emplace_back("--target-unmarked");
    there.start_worker(unmarked);
    there.settle();
    there.stop_worker();
    there.on_target(said(hint, "GRANT EXECUTE ON FUNCTION", "; or"));
    there.start_worker(as_role);
    there.settle();
    CHECK_FALSE(contains(there.worker().err(), "is not marked"));
    back.stop_replicator();
    there.stop();
}
