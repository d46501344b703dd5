// A program that meets a stream in a later version of the format says so, whatever it meets first, and loses nothing.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* said = "pgsluice 9.9.0 writes its stream in format 4, and this program knows formats up to 3";
constexpr const char* way_out = "HINT: Use pgsluice 9.9.0 or later.";

struct Group : Pipeline {
    explicit Group(const std::vector<std::string>& flags = {}) {
        always(flags, flags);
        on_both("CREATE TABLE t (id int PRIMARY KEY)");
        on_source("INSERT INTO t VALUES (1)");
        start();
        settle();
        stop_replicator();
    }

    std::string kept() { return broker->kv_get(names, "group").value().text; }
    void keep(const std::string& value) { broker->kv_put(names, "group", value); }
    // As a replicator of a later version does at its start.
    void note_later() { keep(R"({"group":"g","program_version":"9.9.0","format":4})"); }
    void publish(const std::string& kind, const std::string& body) {
        const auto last = broker->stream_state(names.stream).value().last_seq.value;
        const std::string lsn = source_scalar("SELECT pg_current_wal_lsn()");
        broker->publish_one(names.changes_subject, body,
                            {{"Pgsluice-Kind", kind},
                             {"Pgsluice-Position", lsn + ":1"},
                             {"Pgsluice-Confirmable", lsn},
                             {"Nats-Expected-Last-Sequence", std::to_string(last)}});
    }
    void refuses(Process& process) {
        const int code = process.wait();
        INFO(process.err());
        CHECK(code == 1);
        CHECK(contains(process.err(), said));
        CHECK(contains(process.err(), way_out));
    }

    Names names = names_for(group());
    std::unique_ptr<Broker> broker = connect_broker();
};

}  // namespace

TEST_CASE("format: it is in the stream's first message and in KV, also for a group of a build that wrote none") {
    if (hardened_by_environment()) return;
    Group group;
    CHECK(contains(group.broker->message_at(group.names.stream, {1}).value().body, "\"format\":1}"));
    std::string before = group.kept();
    const auto at = before.find(",\"format\":1");
    REQUIRE(at != std::string::npos);
    group.keep(before.erase(at, 11));
    group.start_replicator();
    group.check_equal({"t"});
    CHECK(contains(group.kept(), "\"format\":1}"));
    group.stop();
}

TEST_CASE("format: a worker that is running stops at what it does not know") {
    if (hardened_by_environment()) return;
    Group group;
    group.note_later();
    SUBCASE("a kind of message") { group.publish("batches", "{}"); }
    SUBCASE("a kind of record") { group.publish("changes", R"([["Q",1]])"); }
    SUBCASE("a group message") {
        group.publish("group",
                      R"({"group":"g","system_identifier":"1","timeline":1,"dbname":"d","server_version":"15",)"
                      R"("program_version":"9.9.0","format":4})");
    }
    group.refuses(group.worker());
    const auto status = run(group.command_argv("viewer", {"status"}));
    CHECK(status.code == 2);
    CHECK(contains(status.out, said));
}

TEST_CASE("format: nothing starts on a later one, and the group is as it was for a program that knows it") {
    if (hardened_by_environment()) return;
    Group group;
    group.stop_worker();
    const std::string known = group.kept();
    group.note_later();
    SUBCASE("from KV") {}
    SUBCASE("from the stream's first message, when KV is lost") {
        group.broker->delete_bucket(group.names);
        group.broker->delete_stream(group.names.stream);
        group.broker->ensure_stream(group.names, {});
        group.publish("group",
                      R"({"group":"g","system_identifier":"1","timeline":1,"dbname":"d","server_version":"15",)"
                      R"("program_version":"9.9.0","format":4})");
    }
    const auto last = group.broker->stream_state(group.names.stream).value().last_seq;
    Process to_stdout({.argv = group.worker_argv("stdout", {})});
    group.start_worker();
    group.start_replicator();
    group.refuses(group.worker());
    group.refuses(group.replicator());
    group.refuses(to_stdout);
    CHECK(group.broker->stream_state(group.names.stream).value().last_seq == last);
    if (!contains(group.broker->message_at(group.names.stream, {1}).value().body, "9.9.0")) {
        group.keep(known);
        group.start();
        group.on_source("INSERT INTO t VALUES (2)");
        group.check_equal({"t"});
        group.stop();
    }
}

TEST_CASE("format: who may publish, and cannot seal, stops nobody with it") {
    if (hardened_by_environment()) return;
    const std::string key_file = temporary_directory("format") + "/keys";
    std::ofstream(key_file) << "k1:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=" << '\n';
    CHECK(run({"chmod", "600", key_file}).code == 0);
    Group group({"--stream-key-file", key_file});
    group.note_later();
    group.publish("batches", "{}");
    CHECK(says(group.worker(), "which the group's replicator did not write"));
    group.start_replicator();
    group.on_source("INSERT INTO t VALUES (2)");
    group.check_equal({"t"});
    group.stop();
}
