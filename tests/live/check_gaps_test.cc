// pgsluice check: what only a wrong clock, a small server or an unusual table shows, and its list of NATS subjects.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <set>

#include "cmd/check/nats/rights.h"
#include "stream/broker_probe.h"
#include "tests/live/check_fixture.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

std::vector<std::string> check_argv(Pipeline& pipeline, const std::string& nats_url, std::vector<std::string> more) {
    std::vector<std::string> argv{PGSLUICE_BINARY,
                                  "check",
                                  "--group",
                                  pipeline.group(),
                                  "--copy-and-stream",
                                  "--source-url",
                                  pipeline.source_url(),
                                  "--target-url",
                                  pipeline.target_url(),
                                  "--nats-url",
                                  nats_url};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

// nats-server's monitoring, with its clock so many seconds off.
std::string varz(int seconds, const std::string& jetstream) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() + std::chrono::seconds(seconds);
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() / 100;
    const auto whole = static_cast<std::time_t>(tenths / 10);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", std::gmtime(&whole));
    return fmt::format(R"({{"version":"2.10.22","now":"{}.{}Z","jetstream":{}}})", text, tenths % 10, jetstream);
}

// The subjects that a user of examples/nats-permissions.conf may publish to.
std::set<std::string> permitted(const std::string& user) {
    std::ifstream in(PGSLUICE_SOURCE_DIR "/examples/nats-permissions.conf");
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    const auto at = all.find("user: " + user + ",");
    REQUIRE(at != std::string::npos);
    const auto begin = all.find("publish: [", at);
    const std::string list = all.substr(begin, all.find(']', begin) - begin);
    std::set<std::string> found;
    for (auto open = list.find('"'); open != std::string::npos; open = list.find('"', open + 1)) {
        const auto close = list.find('"', open + 1);
        found.insert(list.substr(open + 1, close - open - 1));
        open = close;
    }
    return found;
}

std::set<std::string> patterns(const std::vector<std::vector<WantedRight>>& lists) {
    std::set<std::string> found;
    for (const auto& list : lists)
        for (const WantedRight& right : list) found.insert(right.right.pattern);
    return found;
}

}  // namespace

TEST_CASE("check: clocks, syncing, max_payload, room and domain, all wrong in one report") {
    if (hardened_by_environment()) return;
    int off = -90;
    std::string sync = R"("sync_interval":120000000000)";
    HttpReceiver monitoring([&](const HttpRequest&) {
        HttpReply reply;
        reply.body = varz(off, R"({"config":{"max_storage":1000000,)" + sync +
                                   R"(},"stats":{"storage":400000,"reserved_storage":0}})");
        return reply;
    });
    const std::string url = fmt::format("http://127.0.0.1:{}", monitoring.port());
    NatsServer small({.extra_config = "max_payload: 1500", .hardened = false});
    Pipeline pipeline({shared_postgres(), shared_postgres(), small});
    const CheckReport report(
        check_argv(pipeline, small.url(), {"--nats-monitoring-url", url, "--stream-max-bytes", "700000"}));
    CHECK(report.finished.code == 2);
    const std::string payload = report.line("fail nats: ", "its max_payload of 1500 bytes has no room for a message");
    CHECK(contains(payload, "Set max_payload in nats-server's configuration to 64 KB or more"));
    const std::string room = report.line("fail nats: ", "nats-server may store only 600000 bytes more");
    CHECK(contains(room, "Lower --stream-max-bytes, or raise that limit."));
    CHECK(
        contains(report.line("warn nats: ", "before it syncs them to disk, every 120 s"), "Set sync_interval: always"));
    CHECK(contains(report.line("warn clocks: ", " s behind this machine's"), "Set the machines' clocks by NTP."));
    const CheckReport elsewhere(check_argv(pipeline, small.url(), {"--nats-js-domain", "hub"}));
    elsewhere.line("fail nats: ", "no JetStream domain 'hub' answers");
    elsewhere.line("fail nats: ", "its max_payload of 1500 bytes");

    // Each way out.
    small.restart_with("max_payload: 65536");
    off = 0;
    sync += R"(,"sync_always":true)";
    const CheckReport after(
        check_argv(pipeline, small.url(), {"--nats-monitoring-url", url, "--stream-max-bytes", "600000"}));
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    CHECK_FALSE(after.has("warn nats"));
    CHECK_FALSE(after.has("warn clocks"));
    after.line("ok   nats: ", "sync_interval: always");
}

TEST_CASE("check: a partitioned table without a key and partitions would be left out, and a start leaves it out") {
    if (hardened_by_environment()) return;
    Pipeline group;
    group.start();
    group.settle();
    group.stop();
    group.on_source("CREATE TABLE keyless (id int) PARTITION BY RANGE (id); CREATE TABLE keyed (id int PRIMARY KEY)");
    const CheckReport report(check_argv(group, shared_nats().url(), {}));
    INFO(report.text());
    report.line(
        "warn source: ",
        "partitioned table 'public.keyless' would be left out: it has neither a primary key nor partitions yet");
    CHECK(contains(report.line("ok   source: ", "would be altered: "), "\"keyed\""));
    CHECK_FALSE(contains(report.line("ok   source: ", "would be altered: "), "\"keyless\""));
    group.on_target("CREATE TABLE keyed (id int PRIMARY KEY)");
    group.start();
    group.settle();
    CHECK(contains(group.replicator().err(), "partitioned table 'public.keyless' has neither a primary key nor"));
    CHECK(group.source_scalar("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'keyless'") == "0");
    group.stop();
    // One that is named is refused by both.
    const CheckReport named(check_argv(group, shared_nats().url(), {"--tables", "settled,keyed,keyless"}));
    CHECK_FALSE(contains(named.text(), "'public.keyless' would be left out"));
}

TEST_CASE("check: its list of subjects is that of the permissions that are recommended") {
    if (hardened_by_environment()) return;
    BrokerOptions options;
    options.url = shared_nats().url();
    const BrokerProbe probe(options, no_log(), {});
    const Names shop = names_for("shop");
    CHECK(patterns({reading_rights(probe, shop), replicator_rights(probe, shop)}) == permitted("replicator"));
    auto worker = permitted("worker");
    // As other versions of nats.c make a consumer.
    CHECK(worker.erase("$JS.API.CONSUMER.CREATE.pgsluice_shop.>") == 1);
    CHECK(patterns({reading_rights(probe, shop), worker_rights(probe, shop, "postgres", true)}) == worker);
}

TEST_CASE("check: to purge is tried only where there is nothing to purge") {
    if (hardened_by_environment()) return;
    NatsServer nats({.extra_config = R"(authorization { users = [ { user: all, password: p }, { user: some, password: p,
        permissions: { publish: { deny: ["$JS.API.STREAM.PURGE.>"] } } } ] })",
                     .hardened = false});
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    const auto url = [&](const char* user) { return fmt::format("nats://{}:p@127.0.0.1:{}", user, nats.port()); };
    const CheckReport denied(check_argv(pipeline, url("some"), {}));
    for (const char* bucket : {"", "KV_"})
        CHECK(contains(
            denied.line("fail nats: ", fmt::format("$JS.API.STREAM.PURGE.{}pgsluice_{}", bucket, pipeline.group())),
            "to the publish permissions of this user"));
    CHECK_FALSE(CheckReport(check_argv(pipeline, url("all"), {})).has("fail"));
    pipeline.always({"--nats-url", url("all")}, {"--nats-url", url("all")});
    pipeline.start();
    pipeline.settle();
    pipeline.stop();
    const auto broker = connect_broker(url("all"));
    const Names names = names_for(pipeline.group());
    const auto before = broker->stream_state(names.stream)->messages;
    const auto keys = broker->kv_keys(names).size();
    const CheckReport there(check_argv(pipeline, url("some"), {}));
    there.line("skip nats: ", "to try it could remove what is there");
    CHECK_FALSE(there.has("fail"));
    CHECK(broker->stream_state(names.stream)->messages == before);
    CHECK(broker->kv_keys(names).size() == keys);
}
