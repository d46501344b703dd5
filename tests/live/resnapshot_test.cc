// Starting a group over: workers that have missed messages begin with the new copy, and a copy applied before is known.
#include <doctest/doctest.h>

#include "stream/broker.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Group : Pipeline {
    Group() : broker(connect_broker()) {
        on_both("CREATE TABLE rows (id int PRIMARY KEY, pad text)");
        on_source("INSERT INTO rows SELECT i, 'row ' || i FROM generate_series(1, 500) i");
    }
    [[nodiscard]] Names names() const { return names_for(group()); }
    StreamState stream() { return broker->stream_state(names().stream).value(); }
    // Nobody applied it, and it is gone.
    void lose_all_but_the_last_message() { broker->trim(names().stream, stream().last_seq); }
    void check_sums() {
        settle();
        CHECK(source_sum("rows") == target_sum("rows"));
    }
    // What a worker prints, or the reason for which it does not.
    [[nodiscard]] Finished to_the_copys_end(const std::string& sink, std::vector<std::string> more = {}) const {
        more.emplace_back("--exit-after-snapshot");
        return run(worker_argv(sink, std::move(more)));
    }

    std::unique_ptr<Broker> broker;
};

constexpr const char* row_of_table = R"("Table":"rows")";
constexpr const char* marker = R"({"Type":"SNAPSHOT","Epoch":2,)";

}  // namespace

TEST_CASE("workers old and new begin with the copy of --resnapshot when what they need was trimmed") {
    Group group;
    const std::string directory = temporary_directory("resnapshot");
    group.start();
    group.check_sums();
    REQUIRE(group.to_the_copys_end("file", {"--file-output-dir", directory}).code == 0);
    group.stop_worker();
    // In two messages, so that one of them is lost below.
    for (const char* change : {"INSERT INTO rows VALUES (1000, 'missed')", "DELETE FROM rows WHERE id = 1"}) {
        group.on_source(change);
        const std::string end = group.source_scalar("SELECT pg_current_wal_lsn()");
        CHECK(eventually("the change is in the stream", [&] {
            const auto last = group.broker->last_message(group.names().stream);
            return last->meta.safe_flush_lsn >= parse_lsn(end).value();
        }));
    }
    group.stop_replicator();
    group.lose_all_but_the_last_message();

    const Finished old = run(group.worker_argv("postgres", {}));
    CHECK(old.code == 1);
    CHECK(contains(old.err, "were removed"));
    CHECK(contains(old.err, "--resnapshot"));
    const Finished fresh = group.to_the_copys_end("stdout");
    CHECK(fresh.code == 1);
    CHECK(contains(fresh.err, "were trimmed"));
    CHECK(contains(fresh.err, "--resnapshot"));

    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(eventually("the copy has begun", [&] {
        const auto key = group.broker->kv_get(group.names(), "begin");
        return key && contains(key->text, R"("epoch":2)");
    }));
    const Finished asked = group.to_the_copys_end("postgres");
    CHECK(asked.code == 1);
    CHECK(contains(asked.err, "--target-existing-rows"));
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_sums();
    CHECK(contains(group.worker().err(), "starts over with the snapshot of epoch 2"));

    const Finished lines = group.to_the_copys_end("stdout");
    INFO(lines.err);
    CHECK(lines.code == 0);
    CHECK(lines.out.starts_with(marker));
    CHECK(count(lines.out, row_of_table) == 501);  // 500 rows and one in the marker
    const Finished files = group.to_the_copys_end("file", {"--file-output-dir", directory});
    INFO(files.err);
    CHECK(files.code == 0);
    const std::string all = run({"/bin/sh", "-c", "cat " + directory + "/*.jsonl"}).out;
    CHECK(count(all, marker) == 1);
    CHECK(count(all, row_of_table) == 500 + 501);
    group.stop();
}

// Its slot waits for the source's open transactions. Nothing says to the user that the worker must wait as long.
TEST_CASE("a worker that was started with --resnapshot waits until the new snapshot has begun") {
    Group group;
    group.start();
    group.check_sums();
    group.stop();
    group.on_target("UPDATE pgsluice.progress SET resume_seq = 1000");  // as if the stream had gone back
    sql::Connection open(shared_postgres().connect(group.source_db()));
    open.exec("BEGIN; UPDATE public.rows SET pad = 'open' WHERE id = 1");
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(eventually("the snapshot is announced", [&] {
        const auto key = group.broker->kv_get(group.names(), "epoch");
        return key && key->text == "2";
    }));
    group.start_worker({"--target-existing-rows", "truncate"});
    CHECK(eventually("the worker waits",
                     [&] { return contains(group.worker().err(), "waiting for the snapshot of epoch 2"); }));
    open.exec("COMMIT");
    group.check_sums();
    group.stop();
}

TEST_CASE("after the broker has lost the stream --resnapshot brings replicator and worker back") {
    Group group;
    group.start();
    group.check_sums();
    group.on_source("UPDATE rows SET pad = pad || '!'");
    group.check_sums();
    group.stop();
    group.broker->delete_stream(group.names().stream);
    SUBCASE("alone") {}
    SUBCASE("and the group's bucket") { group.broker->delete_bucket(group.names()); }
    const Finished refused = run(group.replicator_argv({"--copy-and-stream"}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "--resnapshot"));
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.on_source("INSERT INTO rows VALUES (2000, 'later')");
    CHECK(eventually("the stream is there", [&] {
        try {
            return group.broker->kv_get(group.names(), "begin").has_value();
        } catch (const Error&) {  // the bucket is being made
            return false;
        }
    }));
    CHECK(eventually("and has the copy", [&] {
        const auto last = group.broker->last_message(group.names().stream);
        return last && (last->meta.kind == MessageKind::changes || last->meta.kind == MessageKind::progress);
    }));
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_sums();
    CHECK(contains(group.worker().err(), "starts over with the snapshot of epoch 2"));
    group.stop();
}

TEST_CASE("--exit-after-snapshot waits for a copy that is announced and has not begun") {
    Group group;
    group.start();
    group.check_sums();
    group.stop();
    group.broker->kv_put(group.names(), "epoch", "2");  // as --resnapshot does before it makes its slot
    group.start_worker({"--exit-after-snapshot", "--target-existing-rows", "truncate"});
    CHECK(eventually("the worker reads", [&] { return contains(group.worker().err(), "reads stream"); }));
    CHECK_FALSE(contains(group.worker().err(), "was applied before"));
    group.on_source("UPDATE rows SET pad = 'anew'");
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(group.worker().wait() == 0);
    CHECK(contains(group.worker().err(), "snapshot complete: epoch 3"));
    CHECK(group.source_sum("rows") == group.target_sum("rows"));
    group.stop_replicator();
}

TEST_CASE("--exit-after-snapshot ends at once when the copy was applied before") {
    Group group;
    group.start();
    group.check_sums();
    group.stop_worker();
    const Finished again = group.to_the_copys_end("postgres");
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(contains(again.err, "was applied before"));

    const std::string directory = temporary_directory("applied");
    const std::vector<std::vector<std::string>> sinks{{"stdout"},
                                                      {"stdout", "--checkpoint-file", directory + "/checkpoint"},
                                                      {"file", "--file-output-dir", directory + "/files"}};
    for (std::size_t i = 0; i < sinks.size(); ++i) {
        std::vector<std::string> more(sinks[i].begin() + 1, sinks[i].end());
        more.insert(more.end(), {"--worker-name", "worker-" + std::to_string(i)});
        CAPTURE(sinks[i][0]);
        const Finished first = group.to_the_copys_end(sinks[i][0], more);
        CHECK(first.code == 0);
        CHECK_FALSE(contains(first.err, "was applied before"));
        const Finished second = group.to_the_copys_end(sinks[i][0], more);
        INFO(second.err);
        CHECK(second.code == 0);
        CHECK(second.out.empty());
        CHECK(contains(second.err, "was applied before"));
    }
    group.stop_replicator();
}

TEST_CASE("a worker killed in a copy whose begin marker came in parts continues") {
    NatsServer nats({.extra_config = "max_payload: 65536"});
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both(
        "DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a_long_column_name "
        "text, another text, third numeric(10, 2))', i); END LOOP; END $$");
    pipeline.on_source("INSERT INTO t1 SELECT i, repeat('x', 200), '', 1 FROM generate_series(1, 60000) i");
    pipeline.start_replicator();
    pipeline.start_worker();
    CHECK(eventually("some rows are loaded", [&] {
        return pipeline.target_scalar(
                   "SELECT to_regclass('pgsluice.progress') IS NOT NULL AND pg_relation_size('t1') > 0") == "t";
    }));
    pipeline.kill_worker();
    pipeline.start_worker();
    pipeline.settle();
    CHECK(pipeline.source_sum("t1") == pipeline.target_sum("t1"));
    pipeline.stop();
}

TEST_CASE("DDL that no slot kept is warned of, and tables made again have it") {
    Pipeline group;
    group.always({"--track-ddl"}, {"--target-sync-schema", "--source-url", group.source_url()});
    group.on_source("CREATE TABLE rows (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO rows SELECT i, 'row ' || i FROM generate_series(1, 10) i");
    group.start();
    group.on_source("ALTER TABLE rows ADD COLUMN read int");
    group.settle();
    group.stop();
    group.on_source("ALTER TABLE rows ALTER v SET DEFAULT 'new', ADD COLUMN missed int; CREATE INDEX ON rows (v)");

    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(says(group.replicator(), "captured commands (DDL) may not have been read"));
    group.start_worker({"--target-existing-rows", "truncate"});
    CHECK(group.worker().wait(std::chrono::seconds(60)) == 1);
    CHECK(contains(group.worker().err(), "missed"));
    group.on_target("DROP TABLE rows");
    group.start_worker({"--target-existing-rows", "truncate"});
    group.on_source("INSERT INTO rows (id) VALUES (100)");
    group.check_equal({"rows"});
    CHECK(group.target_scalar("SELECT count(*) FROM pg_indexes WHERE tablename = 'rows'") == "2");
    CHECK(group.target_scalar("SELECT column_default FROM information_schema.columns WHERE table_name = 'rows' AND "
                              "column_name = 'v'") == "'new'::text");
    group.stop();
}

TEST_CASE("a worker that needs no copy is not stopped by what KV says of one") {
    Group group;
    group.start();
    group.check_sums();
    group.stop_worker();
    group.broker->kv_put(group.names(), "begin", "no JSON");
    group.start_worker();
    group.on_source("INSERT INTO rows VALUES (1000, 'later')");
    group.check_sums();
    group.stop();
}
