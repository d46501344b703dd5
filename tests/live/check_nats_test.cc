// pgsluice check: what is wrong with NATS, subject by subject, and nothing is made there.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <set>

#include "sql/error.h"
#include "stream/broker_probe.h"
#include "tests/live/check_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A pipeline with a nats-server of its own, as superuser of both databases.
struct Checked {
    explicit Checked(NatsServerOptions options = {}) : nats(with_plain(std::move(options))) {}

    [[nodiscard]] CheckReport check(std::vector<std::string> more, const std::string& user = "") const {
        const std::string login = user.empty() ? "" : user + ":p@";
        std::vector<std::string> argv{PGSLUICE_BINARY,    "check",
                                      "--group",          pipeline.group(),
                                      "--source-url",     shared_postgres().url(pipeline.source_db()),
                                      "--target-url",     shared_postgres().url(pipeline.target_db()),
                                      "--nats-url",       fmt::format("nats://{}127.0.0.1:{}", login, nats.port()),
                                      "--copy-and-stream"};
        argv.insert(argv.end(), more.begin(), more.end());
        return CheckReport(argv);
    }

    NatsServer nats;
    Pipeline pipeline{{shared_postgres(), shared_postgres(), nats}};

   private:
    static NatsServerOptions with_plain(NatsServerOptions options) {
        options.hardened = false;
        return options;
    }
};

std::string user_with(const std::set<std::string>& subjects) {
    return fmt::format(
        "authorization {{ users = [ {{ user: some, password: p, permissions: {{ publish: [\"{}\"], subscribe: "
        "[\"_INBOX.>\"] }} }} ] }}",
        fmt::join(subjects, "\", \""));
}

// What the lines say to add.
void add_said(const CheckReport& report, std::set<std::string>& subjects) {
    for (const std::string& line : report.lines) {
        const std::string begin = "Add '";
        const auto at = line.find(begin);
        if (at == std::string::npos) continue;
        const auto from = at + begin.size();
        CHECK(contains(line, "to the publish permissions of this user"));
        subjects.insert(line.substr(from, line.find('\'', from) - from));
    }
}

// Of a stream, and of the bucket: what changes with every message.
std::string state_of(Broker& broker, const std::string& stream) {
    const auto state = broker.stream_state(stream);
    if (!state) return "none";
    return fmt::format("{} to {}, {} messages, {} bytes, made {}", state->first_seq.value, state->last_seq.value,
                       state->messages, state->bytes, state->created_ns);
}

std::string all_of(const std::string& url, const std::string& group) {
    const auto broker = connect_broker(url);
    const Names names = names_for(group);
    return fmt::format("{}; {}; {}", state_of(*broker, names.stream), state_of(*broker, "KV_" + names.bucket),
                       state_of(*broker, names.dead_letters));
}

}  // namespace

TEST_CASE("check: each subject that the NATS user may not publish to, and with those added a run works") {
    if (hardened_by_environment()) return;
    std::set<std::string> subjects{"none"};
    Checked checked({.extra_config = user_with(subjects)});
    const std::vector<std::string> flags{"--on-error", "dead-letter"};
    const CheckReport report = checked.check(flags, "some");
    CHECK(report.finished.code == 2);
    const std::string& group = checked.pipeline.group();
    report.line("fail nats: ", "unable to ask about JetStream: the NATS user may not publish to '$JS.API.INFO'");
    report.line("fail nats: ", fmt::format("may not publish to 'pgsluice.{}.>'", group));
    report.line("fail nats: ", fmt::format("may not publish to '$KV.pgsluice_{}.worker.>'", group));
    report.line("fail nats: ", fmt::format("may not publish to '$JS.FC.pgsluice_{}.>'", group));
    report.line("fail nats: ", fmt::format("may not publish to 'pgsluice-dlq.{}'", group));
    report.line("warn nats: ", fmt::format("may not publish to '$JS.API.STREAM.UPDATE.pgsluice_{}'", group));

    add_said(report, subjects);
    // To purge a stream is tried once it is known that there is none.
    report.line("skip nats: ", fmt::format("may publish to '$JS.API.STREAM.PURGE.pgsluice_{0}' and "
                                           "'$JS.API.STREAM.PURGE.KV_pgsluice_{0}'",
                                           group));
    checked.nats.restart_with(user_with(subjects));
    const CheckReport trimming = checked.check(flags, "some");
    for (const char* bucket : {"", "KV_"})
        trimming.line("fail nats: ",
                      fmt::format("may not publish to '$JS.API.STREAM.PURGE.{}pgsluice_{}'", bucket, group));
    add_said(trimming, subjects);
    checked.nats.restart_with(user_with(subjects));
    const CheckReport after = checked.check(flags, "some");
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    after.line("ok   nats: ", "the user may publish to all");
    checked.pipeline.always({"--nats-url", fmt::format("nats://some:p@127.0.0.1:{}", checked.nats.port())},
                            {"--nats-url", fmt::format("nats://some:p@127.0.0.1:{}", checked.nats.port())});
    checked.pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    checked.pipeline.on_source("INSERT INTO t VALUES (1)");
    checked.pipeline.start();
    checked.pipeline.check_equal({"t"});
    checked.pipeline.stop();
    // Only whether another stream has the group's subjects was not told.
    CHECK(count(checked.nats.log(), "Violation") == count(checked.nats.log(), "STREAM.NAMES"));
}

TEST_CASE("check: answers that the NATS user may not subscribe to are one finding") {
    Checked checked({.extra_config = "authorization { users = [ { user: some, password: p, permissions: { subscribe: "
                                     "[\"_INBOX_shop.>\"] } } ] }"});
    const CheckReport report = checked.check({}, "some");
    CHECK(count(report.finished.out, "fail nats: ") == 1);
    report.line("fail nats: ", "may not subscribe to '_INBOX.>'");
    const CheckReport after = checked.check({"--nats-inbox-prefix", "_INBOX_shop"}, "some");
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
}

TEST_CASE("check: a group that runs, with all rights, is as it was") {
    if (hardened_by_environment()) return;
    Checked checked;
    CHECK(checked.check({"--on-error", "dead-letter"}).finished.code != 2);
    CHECK(all_of(checked.nats.url(), checked.pipeline.group()) == "none; none; none");
    checked.pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY CHECK (id < 10))");
    checked.pipeline.start_replicator();
    checked.pipeline.start_worker({"--on-error", "dead-letter"});
    checked.pipeline.on_source("ALTER TABLE t DROP CONSTRAINT t_id_check; INSERT INTO t VALUES (1), (11)");
    checked.pipeline.settle();
    const CheckReport running = checked.check({});
    INFO(running.text());
    running.line("warn group: ", "its replicator is running");
    CHECK_FALSE(running.has("fail"));
    checked.pipeline.stop();
    const std::string before = all_of(checked.nats.url(), checked.pipeline.group());
    CAPTURE(before);
    CHECK_FALSE(contains(before, "none"));
    const CheckReport stopped = checked.check({"--on-error", "dead-letter"});
    INFO(stopped.text());
    stopped.line("ok   group: ", "a start would continue where the group is");
    CHECK_FALSE(stopped.has("fail"));
    CHECK(all_of(checked.nats.url(), checked.pipeline.group()) == before);
}

TEST_CASE("check: what monitoring shows") {
    if (hardened_by_environment()) return;
    const int port = free_port();
    Checked checked(
        {.jetstream_config = "max_file_store: 10000000", .extra_config = fmt::format("http: \"127.0.0.1:{}\"", port)});
    const std::string url = fmt::format("http://127.0.0.1:{}", port);
    checked.check({}).line("skip nats: ", "give --nats-monitoring-url");
    const CheckReport report = checked.check({"--nats-monitoring-url", url, "--stream-max-bytes", "20000000"});
    INFO(report.text());
    const std::string synced = report.line("warn nats: ", "acknowledges messages before it syncs them to disk");
    CHECK(contains(synced, "or start the replicator with --confirm applied."));
    const std::string room =
        report.line("fail nats: ", "--stream-max-bytes is 20000000, and nats-server may store only 10000000 bytes");
    CHECK(contains(room, "Lower --stream-max-bytes"));
    report.line("ok   clocks: ", "nats-server's clock agrees");
    const CheckReport after =
        checked.check({"--nats-monitoring-url", url, "--stream-max-bytes", "5000000", "--confirm", "applied"});
    INFO(after.text());
    after.line("ok   nats: ", "--confirm applied");
    CHECK_FALSE(after.has("fail"));
    CHECK_FALSE(after.has("warn nats"));

    const CheckReport nowhere = checked.check({"--nats-monitoring-url", "http://127.0.0.1:1"});
    CHECK(contains(nowhere.line("warn nats: ", "unable to read nats-server's monitoring"),
                   "(nats-server -m 8222), and give http://HOST:PORT in --nats-monitoring-url."));
}

TEST_CASE("check: a stream that others have set up, all its faults at once") {
    if (hardened_by_environment()) return;
    Checked checked;
    const auto broker = connect_broker(checked.nats.url());
    const Names names = names_for(checked.pipeline.group());
    ask_jetstream(
        *broker, "$JS.API.STREAM.CREATE." + names.stream,
        fmt::format(R"({{"name":"{}","subjects":["x"],"storage":"memory","max_age":300000000000}})", names.stream));
    const CheckReport report = checked.check({"--stream-replicas", "3"});
    report.line("fail nats: ", "its storage is memory");
    report.line("fail nats: ", "it has a maximum age");
    report.line("fail nats: ", "is not among its subjects");
    report.line("fail nats: ", "' is a single server");
}

TEST_CASE("check: another stream that has the group's subjects") {
    if (hardened_by_environment()) return;
    Checked checked;
    const auto broker = connect_broker(checked.nats.url());
    ask_jetstream(*broker, "$JS.API.STREAM.CREATE.other",
                  R"({"name":"other","subjects":["pgsluice.>"],"storage":"file"})");
    const std::string line = checked.check({}).line("fail nats: ", "stream 'other' already has its subjects");
    CHECK(contains(line, "`nats stream rm other --force`"));
    broker->delete_stream("other");
    CHECK_FALSE(checked.check({}).has("fail"));
}

TEST_CASE("check: an account's limits") {
    if (hardened_by_environment()) return;
    const auto config = [](int streams, const std::string& more) {
        return fmt::format(
            "accounts {{ A {{ users: [{{ user: some, password: p }}], jetstream: {{ max_streams: {}, max_file: "
            "100000000, max_mem: 0{} }} }} }}",
            streams, more);
    };
    Checked checked({.extra_config = config(1, "")});
    const CheckReport report = checked.check({}, "some");
    const std::string number = report.line("fail nats: ", "the NATS account may have 1 streams, has 0, and 2 more");
    CHECK(contains(number, "Raise the account's limit of streams"));
    CHECK(contains(report.line("fail nats: ", "this nats-server loses messages when an account is full"),
                   "Set --stream-max-bytes well below that limit"));
    report.line("ok   nats: ", "the account has stored 0 bytes (limit: 100000000)");

    checked.nats.restart_with(config(2, ", max_bytes_required: true, disk_max_stream_bytes: 1000000"));
    const CheckReport limited = checked.check({}, "some");
    INFO(limited.text());
    CHECK(contains(limited.line("fail nats: ", "takes only streams with a limit"), "Set --stream-max-bytes."));
    CHECK(contains(limited.line("fail nats: ", "takes only streams of up to 1000000 bytes"),
                   "Set --stream-max-bytes to 1000000 or less."));
    const CheckReport after = checked.check({"--stream-max-bytes", "1000000"}, "some");
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
}

TEST_CASE("check: no JetStream, another domain, no server") {
    Checked without({.jetstream = false});
    without.check({}).line("fail nats: ", "JetStream is not enabled");
    Checked hub({.jetstream_config = "domain: hub"});
    hub.check({"--nats-js-domain", "elsewhere"}).line("fail nats: ", "no JetStream domain 'elsewhere' answers");
    const CheckReport right = hub.check({"--nats-js-domain", "hub"});
    INFO(right.text());
    CHECK_FALSE(right.has("fail"));
    hub.nats.kill();
    hub.check({}).line("fail nats: ", "unable to connect to NATS");
}

TEST_CASE("check: one report has what is wrong with each part") {
    if (hardened_by_environment()) return;
    Checked checked({.jetstream_config = "max_file_store: 1000000"});
    Pipeline& pipeline = checked.pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.on_source("CREATE TABLE hidden (id int PRIMARY KEY)");
    const std::string rules = temporary_directory("check_all") + "/rules.yaml";
    std::ofstream(rules) << "tables:\n  t:\n    - {type: exclude_column, column: nothing}\n";
    pipeline.on_source(
        fmt::format("SELECT pg_create_logical_replication_slot('pgsluice_{}', 'test_decoding')", pipeline.group()));
    const CheckReport report =
        checked.check({"--tables", "t,hidden,nowhere", "--rules-config", rules, "--stream-replicas", "3"});
    CHECK(report.finished.code == 2);
    for (const char* part : {"source", "nats", "group", "rules", "target"})
        CHECK_MESSAGE(report.has(std::string("fail ") + part + ": "), part << " in\n" << report.text());
    pipeline.on_source(fmt::format("SELECT pg_drop_replication_slot('pgsluice_{}')", pipeline.group()));
}

TEST_CASE("check: calls that empty or remove a stream are never tried") {
    NatsServer nats({.hardened = false});
    BrokerOptions options;
    options.url = nats.url();
    const BrokerProbe probe(options, no_log(), {});
    for (const char* subject : {"$JS.API.STREAM.PURGE.pgsluice_shop", "$JS.hub.API.STREAM.DELETE.pgsluice_shop"})
        CHECK_THROWS_AS(static_cast<void>(probe.refusal({"", subject, subject})), std::logic_error);
    CHECK_FALSE(probe.refusal({"", "$JS.API.INFO", "$JS.API.INFO"}));
}
