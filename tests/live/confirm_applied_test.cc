// --confirm applied: the slot follows the slowest registered worker, so what a broker lost in a power cut is published
// again, as far as no worker had applied it.
#include <doctest/doctest.h>

#include "stream/group/registry.h"
#include "stream/group/snapshot_start.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct OwnNats {
    NatsServer nats;
};

// A group with a PostgreSQL worker and a file worker, both of which have all there is. Its server is there first.
struct Group : OwnNats, Pipeline {
    Group() : Pipeline({shared_postgres(), shared_postgres(), nats}) {
        on_both("CREATE TABLE rows (id int)");  // without a key, so that a repeat is seen
        start_replicator({"--copy-and-stream", "--confirm", "applied"});
        start_worker();
        start_file_worker();
        settle();
        await_durable("file", written());
    }
    void start_file_worker() {
        file.emplace(ProcessOptions{.argv = worker_argv("file", {"--file-output-dir", directory})});
    }
    void stop_file_worker() {
        file->signal(SIGTERM);
        CHECK(file->wait() == 0);
        file.reset();
    }

    [[nodiscard]] Lsn written() { return parse_lsn(source_scalar("SELECT pg_current_wal_insert_lsn()")).value(); }
    [[nodiscard]] Lsn confirmed() {
        return parse_lsn(source_scalar("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" +
                                       names.slot + "'"))
            .value();
    }
    [[nodiscard]] std::unique_ptr<Broker> broker() const { return connect_broker(nats.url()); }
    // Up to where the worker durably has all that was committed.
    [[nodiscard]] Lsn durable(const std::string& worker) const {
        const auto connection = broker();
        const auto entry = WorkerRegistry(*connection, names).find(worker);
        if (!entry || entry->durable.resume_seq.value < 2) return {};
        const auto before = connection->message_at(names.stream, {entry->durable.resume_seq.value - 1});
        return before ? before->meta.safe_flush_lsn : Lsn{};
    }
    void await_durable(const std::string& worker, Lsn lsn) {
        eventually("worker " + worker + " has it durably", [&] { return durable(worker) >= lsn; });
    }
    // The replicator has told the slot how far it may go, once more.
    void await_feedback() {
        const auto last = [&] {
            return source_scalar(
                "SELECT reply_time FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid "
                "WHERE s.slot_name = '" +
                names.slot + "'");
        };
        const std::string before = last();
        eventually("the replicator gives feedback", [&] { return !last().empty() && last() != before; });
    }
    // Ten transactions, in the stream at the end.
    void write(int from) {
        for (int id = from; id < from + 10; ++id) on_source("INSERT INTO rows VALUES (" + std::to_string(id) + ")");
        const Lsn end = written();
        eventually("the stream has it",
                   [&] { return broker()->last_message(names.stream)->meta.safe_flush_lsn >= end; });
    }
    // How often the file worker's lines have the row.
    [[nodiscard]] std::size_t lines(int id) const {
        const std::string text = run({"/bin/sh", "-c", "cat " + directory + "/*.jsonl*"}).out;
        return count(text, R"("NewTuple":{"id":)" + std::to_string(id) + "}");
    }

    Names names = names_for(group());
    std::string directory = temporary_directory("confirm_applied") + "/out";
    std::optional<Process> file;
};

}  // namespace

TEST_CASE("the slot never passes the slowest worker's durable checkpoint") {
    Group group;
    group.stop_file_worker();
    const Lsn held = group.durable("file");
    const Lsn begin = group.written();
    group.write(1);
    group.await_durable("postgres", group.written());
    for (int told = 0; told < 3; ++told) {
        group.await_feedback();
        CHECK(group.confirmed() <= held);
        CHECK(group.confirmed() < begin);
    }
    group.start_file_worker();
    const Lsn end = group.written();
    eventually("the slot follows", [&] { return group.confirmed() >= end; });
    CHECK(group.durable("file") >= end);
    group.stop();
    group.stop_file_worker();
}

TEST_CASE("the slot waits for a worker that registered a moment ago") {
    Group group;
    group.await_feedback();
    group.stop_file_worker();  // its entry stays as it is until the late one is there
    WorkerEntry late = WorkerRegistry(*group.broker(), group.names).find("file").value();
    late.name = "late";
    group.broker()->kv_put(group.names, "worker.late", encode(late));
    const Lsn held = group.durable("late");
    group.start_file_worker();
    group.write(1);
    group.await_durable("postgres", group.written());
    group.await_durable("file", group.written());
    for (int told = 0; told < 3; ++told) {
        group.await_feedback();
        CHECK(group.confirmed() <= held);
    }
    group.stop();
    group.stop_file_worker();
}

TEST_CASE("the slot does not go back for a worker that joins later and lags") {
    Group group;
    WorkerEntry late = WorkerRegistry(*group.broker(), group.names).find("file").value();
    late.name = "late";
    REQUIRE(group.durable("file") > Lsn{});
    group.write(1);
    const Lsn end = group.written();
    eventually("the slot follows", [&] { return group.confirmed() >= end; });
    group.broker()->kv_put(group.names, "worker.late", encode(late));
    group.stop_replicator();
    group.start_replicator({"--copy-and-stream", "--confirm", "applied"});
    group.await_stream();
    // Not even told to: older servers do as they are told, and then the slot no longer has what its position says.
    for (int told = 0; told < 3; ++told) {
        group.await_feedback();
        CHECK(group.source_scalar("SELECT flush_lsn >= '" + to_string(end) +
                                  "' FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid "
                                  "WHERE s.slot_name = '" +
                                  group.names.slot + "'") == "t");
    }
    group.stop();
    group.stop_file_worker();
}

TEST_CASE("a broker that lost what a stopped worker had not applied gets it again from the slot, and all continue") {
    Group group;
    group.stop_worker();
    group.stop_file_worker();
    group.nats.keep_store();
    group.write(1);
    group.await_feedback();
    group.await_feedback();
    group.nats.roll_back();
    group.write(11);
    group.start_worker();
    group.start_file_worker();
    group.check_equal({"rows"});
    CHECK(group.source_scalar("SELECT count(*) FROM rows") == "20");
    group.await_durable("file", group.written());
    for (int id = 1; id <= 20; ++id) CHECK(group.lines(id) == 1);
    CHECK(find_announced_epoch(*group.broker(), group.names) == 1);  // without another copy
    group.stop();
    group.stop_file_worker();
}

TEST_CASE("one worker was ahead of what the broker lost: it stops, the other and the replicator continue") {
    Group group;
    group.stop_worker();
    group.nats.keep_store();
    group.write(1);
    group.await_durable("file", group.written());
    group.await_feedback();
    group.stop_replicator();  // so that the stream is still short when the file worker looks
    group.nats.roll_back();
    const int code = group.file->wait();
    CAPTURE(group.file->err());
    CHECK(code == 1);
    CHECK(contains(group.file->err(), "restored to an earlier state"));
    CHECK(contains(group.file->err(), "--copy-and-stream --resnapshot"));
    group.start_replicator({"--copy-and-stream", "--confirm", "applied"});
    group.write(11);
    group.start_worker();
    group.check_equal({"rows"});
    CHECK(group.source_scalar("SELECT count(*) FROM rows") == "20");
    group.stop();
}
