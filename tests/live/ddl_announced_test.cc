// The right to publish to the stream is not the right to run commands on the target.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "stream/group/ddl_record.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A transaction of one DDL command after the stream's last message, as anyone may publish it who may publish at all.
void forge_ddl(const std::string& group, const std::string& command) {
    const auto broker = connect_broker();
    const Names names = names_for(group);
    const auto last = broker->last_message(names.stream);
    REQUIRE(last);
    const Lsn commit{last->meta.position.commit.value + 8};
    const std::string content =
        R"({\"event\":\"ddl_command_end\",\"tag\":\"CREATE TABLE\",\"command\":\")" + command +
        R"(\",\"search_path\":\"public\",\"objects\":[{\"type\":\"table\",\"identity\":\"public.forged\",\"schema\":\"public\",\"table\":\"forged\",\"ancestors\":[]}]})";
    const std::string body =
        fmt::format("[[\"B\",700,\"{0}\",800000000000000],\n[\"M\",1,\"pgsluice.ddl\",\"{1}\"],\n[\"C\",\"{0}\"]]",
                    to_string(commit), content);
    const auto publisher = broker->publisher(names, broker->stream_state(names.stream)->last_seq, {});
    publisher->publish({MessageKind::changes, {commit, 1}, last->meta.safe_flush_lsn}, body);
    REQUIRE(publisher->await_acks(10000));
}

std::string forged_exists(Pipeline& pipeline) {
    return pipeline.target_scalar("SELECT to_regclass('public.forged') IS NOT NULL");
}

std::optional<DdlRecord> record_of(const Pipeline& pipeline) {
    return find_ddl_record(*connect_broker(), names_for(pipeline.group()));
}

}  // namespace

TEST_CASE("a DDL message in a group that never tracked DDL is not executed") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    pipeline.stop_replicator();
    CHECK(record_of(pipeline) == DdlRecord{false, {}});
    forge_ddl(pipeline.group(), "CREATE TABLE forged (id int)");
    CHECK(eventually("the worker says so", [&] {
        return contains(pipeline.worker().err(), "does not track DDL, so another program published it");
    }));
    CHECK(forged_exists(pipeline) == "f");
    pipeline.stop_worker();
}

TEST_CASE("without a record a target executes no DDL, and a start of the replicator writes the record") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    pipeline.stop_replicator();
    connect_broker()->kv_put(names_for(pipeline.group()), "ddl", "no JSON");
    forge_ddl(pipeline.group(), "CREATE TABLE forged (id int)");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "has no record that it tracks DDL"));
    CHECK(contains(pipeline.worker().err(), "HINT: Restart the group's replicator"));
    CHECK(forged_exists(pipeline) == "f");

    // As the hint says. Whether the replicator can follow a foreign message is not the question here.
    pipeline.start_replicator();
    CHECK(eventually("the record is there", [&] { return record_of(pipeline) == DdlRecord{false, {}}; }));
    pipeline.start_worker();
    CHECK(eventually("the worker has passed the message", [&] {
        return contains(pipeline.worker().err(), "does not track DDL, so another program published it");
    }));
    CHECK(forged_exists(pipeline) == "f");
    pipeline.stop_worker();
    pipeline.kill_replicator();
}

TEST_CASE("a record that says more than there is in the stream lets no later DDL message pass") {
    Pipeline pipeline;
    pipeline.start();
    pipeline.settle();
    pipeline.stop_replicator();
    connect_broker()->kv_put(names_for(pipeline.group()), "ddl", R"({"tracked":false,"until":1000000})");
    pipeline.start_replicator();
    pipeline.await_stream();
    pipeline.settle();
    pipeline.stop_replicator();
    CHECK(record_of(pipeline)->until < StreamSeq{1000});
    forge_ddl(pipeline.group(), "CREATE TABLE forged (id int)");
    CHECK(eventually("the worker says so", [&] {
        return contains(pipeline.worker().err(), "does not track DDL, so another program published it");
    }));
    CHECK(forged_exists(pipeline) == "f");
    pipeline.stop_worker();
}

TEST_CASE("DDL that was tracked is applied by a worker that reads it after tracking ended") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    CHECK(record_of(pipeline) == DdlRecord{true, {}});
    pipeline.stop_worker();
    pipeline.on_source("ALTER TABLE t ADD COLUMN v text");
    pipeline.on_source("INSERT INTO t VALUES (1, 'one')");
    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
    CHECK(eventually("it is in the stream", [&] {
        return pipeline.source_scalar("SELECT confirmed_flush_lsn >= '" + end +
                                      "' FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + pipeline.group() +
                                      "'") == "t";
    }));
    pipeline.stop_replicator();
    pipeline.start_replicator();
    pipeline.await_stream();
    CHECK(eventually("tracking has ended", [&] {
        const auto record = record_of(pipeline);
        return record && !record->tracked && record->until > StreamSeq{0};
    }));
    pipeline.start_worker();
    pipeline.check_equal({"t"});
    pipeline.stop();
}
