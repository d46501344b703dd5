// Sealed streams: a whole life, and what who holds the broker can do.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using HeaderValues = std::vector<std::pair<std::string, std::string>>;

constexpr const char* key_a = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
constexpr const char* key_b = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

struct Sealed : Pipeline {
    explicit Sealed(NatsServer& server = shared_nats()) : Pipeline({shared_postgres(), shared_postgres(), server}) {
        nats_url = server.url();
        write_keys({{"k1", key_a}});
        always({"--stream-key-file", key_file}, {"--stream-key-file", key_file});
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t SELECT i, 'canary' || i FROM generate_series(1, 500) i");
        broker = connect_broker(nats_url);
        names = names_for(group());
    }

    void write_keys(const std::vector<std::pair<std::string, std::string>>& keys) {
        std::ofstream file(key_file);
        for (const auto& [id, secret] : keys) file << id << ':' << secret << '\n';
        file.close();
        REQUIRE(::chmod(key_file.c_str(), 0600) == 0);
    }
    Finished command(std::vector<std::string> words, bool keyed = true) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group(), "--nats-url", nats_url});
        if (keyed) words.insert(words.end(), {"--stream-key-file", key_file});
        return run(words);
    }
    StreamSeq last_seq() { return broker->stream_state(names.stream).value().last_seq; }
    // With the right fence, repeated where the replicator publishes at the same time.
    StreamSeq publish(const std::string& body, HeaderValues headers) {
        std::erase_if(headers, [](const auto& header) { return header.first == "Nats-Expected-Last-Sequence"; });
        for (int tries = 0;; ++tries) {
            HeaderValues fenced = headers;
            fenced.emplace_back("Nats-Expected-Last-Sequence", std::to_string(last_seq().value));
            try {
                return broker->publish_one(names.changes_subject, body, fenced);
            } catch (const Error&) {
                if (tries == 20) throw;
            }
        }
    }
    void insert_more() { on_source("INSERT INTO t SELECT max(id) + 1, 'canary more' FROM t"); }
    void check_all_works() {
        insert_more();
        check_equal({"t"});
    }

    std::string directory = temporary_directory("keys");
    std::string key_file = directory + "/stream.key";
    std::string nats_url;
    std::unique_ptr<Broker> broker;  // without keys: as anyone
    Names names;
};

bool store_holds(const NatsServer& server, const std::string& text) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(server.store_dir())) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
}

HeaderValues ours(const std::string& kind, Lsn lsn) {
    return {{"Pgsluice-Kind", kind},
            {"Pgsluice-Position", to_string(Position{lsn, 1})},
            {"Pgsluice-Confirmable", to_string(lsn)}};
}

}  // namespace

TEST_CASE("snapshot, changes, restarts, trimming and dead letters, and the broker holds no row") {
    NatsServer server;
    Sealed group(server);
    group.on_target("ALTER TABLE t ADD CHECK (v <> 'canary refused')");
    group.start_replicator({"--copy-and-stream", "--stream-retain", "0s"});
    group.start_worker({"--on-error", "dead-letter"});
    group.check_all_works();
    group.on_source("INSERT INTO t VALUES (100001, 'canary refused')");
    group.settle();
    group.stop();
    group.start_replicator({"--copy-and-stream", "--stream-retain", "0s"});
    group.start_worker({"--on-error", "dead-letter"});
    group.settle();
    CHECK(eventually("the stream is trimmed",
                     [&] { return group.broker->stream_state(group.names.stream)->first_seq > StreamSeq{3}; }));
    group.stop();
    CHECK_FALSE(store_holds(server, "canary"));

    const Finished listed = group.command({"dlq", "list"});
    CAPTURE(listed.err);
    CHECK(contains(listed.out, "insert of 'public.t'"));
    CHECK(contains(group.command({"dlq", "list"}, false).err, "Give --stream-key-file"));
    group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    const Finished replayed = run({PGSLUICE_BINARY, "dlq", "replay", "--group", group.group(), "--nats-url",
                                   group.nats_url, "--stream-key-file", group.key_file, "--worker-name", "postgres",
                                   "--target-url", shared_postgres().url(group.target_db())});
    CAPTURE(replayed.err);
    CHECK(replayed.code == 0);
    CHECK(group.target_rows("t") == group.source_rows("t"));
    CHECK(group.command({"status", "--raw"}).code == 0);
    CHECK(contains(group.command({"status"}).out, "worker 'postgres' (postgres)"));
    CHECK(contains(group.command({"status"}, false).err, "Give --stream-key-file"));
    CHECK(contains(group.command({"repair"}).out, "holds nothing foreign"));
    CHECK_FALSE(store_holds(server, "canary"));
}

TEST_CASE("the same canary is in the store of a group that is not sealed") {
    NatsServer server;
    Pipeline group({shared_postgres(), shared_postgres(), server});
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t VALUES (1, 'canary')");
    group.start();
    group.check_equal({"t"});
    group.stop();
    CHECK(store_holds(server, "canary"));
}

TEST_CASE("a forged DDL message, a replayed one and one moved to another place are not applied") {
    Sealed group;
    group.start({"--copy-and-stream", "--track-ddl"});
    group.check_all_works();
    const Lsn high{0x7FFFFFFF00000000};
    const std::string ddl =
        R"([["B",700,"7FFFFFFF/0",800000000000000],["M",1,"pgsluice.ddl","{\"event\":\"ddl_command_end\",\"tag\":\"CREATE TABLE\",\"command\":\"CREATE TABLE forged (id int)\",\"search_path\":\"public\",\"objects\":[]}"],["C","7FFFFFFF/0"]])";
    const auto forged = group.publish(ddl, ours("changes", high));
    const auto stored = group.broker->stored_message(group.names.stream, {forged.value - 1}).value();
    HeaderValues taken_seal = ours("changes", high);
    for (const auto& header : stored.headers)
        if (header.first == "Pgsluice-Sealed") taken_seal.push_back(header);
    REQUIRE(taken_seal.size() == 4);
    group.publish(ddl, taken_seal);
    const auto replayed = group.publish(stored.body, stored.headers);
    group.check_all_works();
    CHECK(contains(group.worker().err(), fmt::format("skipping message {} of stream", forged.value)));
    CHECK(contains(group.worker().err(), "it is not sealed"));
    group.stop();
    CHECK(group.target_scalar("SELECT to_regclass('public.forged') IS NULL") == "t");
    const Finished listed = group.command({"repair", "--yes"});
    CHECK(contains(listed.out, fmt::format("removed message {} of stream", forged.value)));
    CHECK(contains(listed.out, fmt::format("removed message {} of stream '{}': its seal is broken", replayed.value,
                                           group.names.stream)));
    group.start({"--copy-and-stream", "--track-ddl"});
    group.check_all_works();
    group.stop();
}

TEST_CASE("a message that was removed, and others put in its place: the worker stops") {
    Sealed group;
    group.start();
    group.check_all_works();
    group.stop_worker();
    const auto seq = group.last_seq();
    group.insert_more();
    CHECK(eventually("it is stored", [&] { return group.last_seq() > seq; }));
    const auto victim = group.last_seq();
    group.insert_more();
    CHECK(eventually("it is stored", [&] { return group.last_seq() > victim; }));
    group.stop_replicator();
    group.broker->erase_message(group.names.stream, victim);
    group.start_worker();
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "what the replicator wrote between them is missing"));
}

TEST_CASE("keys are rotated, and a key that is missing is named") {
    Sealed group;
    group.start();
    group.check_all_works();
    group.stop();
    group.write_keys({{"k2", key_b}, {"k1", key_a}});
    group.start();
    group.check_all_works();
    group.stop();
    // Everything is sealed by k2 only after the older messages are gone.
    group.write_keys({{"k2", key_b}});
    const Finished reader = run(group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"}));
    CHECK(reader.code == 1);
    CHECK(contains(reader.err, "it is sealed with key 'k1'"));
    group.write_keys({{"k1", key_a}});
    const Finished replicator = run(group.replicator_argv({"--copy-and-stream"}));
    CHECK(replicator.code == 1);
    CHECK(contains(replicator.err, "it is sealed with key 'k2'"));
    group.write_keys({{"k2", key_a}, {"k1", key_b}});  // the wrong secrets
    const Finished wrong = run(group.worker_argv("postgres", {}));
    CHECK(wrong.code == 1);
    CHECK(contains(wrong.err, "was not written with the keys of --stream-key-file"));
    group.write_keys({{"k2", key_b}, {"k1", key_a}});
    group.start();
    group.check_all_works();
    group.stop();
}

TEST_CASE("with and without keys do not mix, and a group is sealed by a new snapshot") {
    Sealed group;
    group.always({}, {});
    group.start();
    group.check_all_works();
    group.stop();
    const std::vector<std::string> keyed{"--stream-key-file", group.key_file};
    const Finished worker = run(group.worker_argv("postgres", keyed));
    CHECK(worker.code == 1);
    CHECK(contains(worker.err, "has no record that it is sealed, and --stream-key-file is given"));
    CHECK(contains(worker.err, "--copy-and-stream --resnapshot --stream-key-file"));
    const Finished replicator = run(group.replicator_argv({"--copy-and-stream", keyed[0], keyed[1]}));
    CHECK(replicator.code == 1);
    CHECK(contains(replicator.err, "has no record that it is sealed, and --stream-key-file is given"));

    // As the hint says.
    group.always(keyed, keyed);
    group.insert_more();
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_all_works();
    group.stop();
    group.start();
    group.check_all_works();
    group.stop();

    group.always({}, {});
    for (const auto& argv : {group.worker_argv("postgres", {}), group.replicator_argv({"--copy-and-stream"}),
                             group.replicator_argv({"--copy-and-stream", "--resnapshot"})}) {
        const Finished refused = run(argv);
        CHECK(refused.code == 1);
        CHECK(contains(refused.err, "the group's stream is sealed"));
        CHECK(contains(refused.err, "HINT: Give --stream-key-file"));
    }
}

TEST_CASE("what others wrote into the bucket of a sealed group is not believed") {
    Sealed group;
    group.start();
    group.check_all_works();
    group.stop();
    group.broker->kv_put(group.names, "ddl", "{\"tracked\":true,\"until\":0}");
    group.broker->kv_put(group.names, "worker.x",
                         "{\"sink\":\"postgres\",\"applied\":{\"resume_seq\":9,\"position\":\"0/1:1\"},\"durable\":{"
                         "\"resume_seq\":7,\"position\":\"0/1:1\"},\"registered_us\":1,\"reported_us\":1,\"session\":"
                         "\"a\"}");
    const Finished listed = group.command({"repair"});
    CHECK(contains(listed.out, "would remove KV key 'ddl': "));
    CHECK(contains(listed.out, "would remove KV key 'worker.x': "));
    CHECK(group.command({"repair", "--yes"}).code == 0);
    group.start();
    group.check_all_works();
    group.stop();
    // Without the record nothing is believed, and the hint is the way out.
    group.broker->kv_put(group.names, "sealed",
                         "{\"version\":1,\"keys\":[\"k1\"],\"runs\":[{\"id\":\"00\",\"from\":1}]}");
    for (const auto& argv : {group.worker_argv("postgres", {}), group.replicator_argv({"--copy-and-stream"})}) {
        const Finished refused = run(argv);
        CHECK(refused.code == 1);
        CHECK(contains(refused.err, "the KV key 'sealed'"));
    }
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_all_works();
    group.stop();
}
