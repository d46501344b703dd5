// Compressed streams: a whole life, what an earlier program makes of one, and frames that no replicator wrote.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <fstream>

#include "stream/format/version.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using HeaderValues = std::vector<std::pair<std::string, std::string>>;
using Flags = std::vector<std::string>;

const Flags compressed{"--copy-and-stream", "--stream-compression", "zstd"};
const Flags plain{"--copy-and-stream"};

struct Compressed : Pipeline {
    explicit Compressed(const Flags& flags = {}) {
        always(flags, flags);
        on_both(
            "CREATE TABLE t (id int PRIMARY KEY, v text, n numeric); CREATE TABLE wide (id int PRIMARY KEY, v text);"
            "ALTER TABLE wide ALTER v SET STORAGE EXTERNAL");
        on_source("INSERT INTO t SELECT i, 'canary number ' || i, i / 7.0 FROM generate_series(1, 5000) i");
    }

    StreamState state() { return broker->stream_state(names.stream).value(); }
    // How often the header is in the stream's messages.
    int messages_with(const std::string& name, const std::string& value) {
        int found = 0;
        for (StreamSeq seq = state().first_seq; seq <= state().last_seq; ++seq.value) {
            const auto message = broker->stored_message(names.stream, seq);
            if (!message) continue;
            for (const auto& header : message->headers) found += header == std::pair(name, value) ? 1 : 0;
        }
        return found;
    }
    void change(int from) {
        on_source(
            fmt::format("INSERT INTO t SELECT i, 'canary number ' || i, NULL FROM generate_series({0}, {0} + 999) i;"
                        "UPDATE t SET v = v || '!' WHERE id % 3 = 0; DELETE FROM t WHERE id % 7 = 0",
                        from));
    }
    void check_works() {
        change(next_);
        next_ += 1000;
        check_equal({"t", "wide"});
    }
    // With the right fence, repeated where the replicator publishes at the same time.
    StreamSeq publish(const std::string& body, const HeaderValues& headers) {
        for (int tries = 0;; ++tries) {
            HeaderValues fenced = headers;
            fenced.emplace_back("Nats-Expected-Last-Sequence", std::to_string(state().last_seq.value));
            try {
                return broker->publish_one(names.changes_subject, body, fenced);
            } catch (const Error&) {
                if (tries == 20) throw;
            }
        }
    }
    Finished command(Flags words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group(), "--nats-url", shared_nats().url()});
        return run(words);
    }

    std::unique_ptr<Broker> broker = connect_broker();
    Names names = names_for(group());
    int next_ = 100'000;
};

std::string kept_format(Compressed& group) {
    const std::string text = group.broker->kv_get(group.names, "group").value().text;
    const auto at = text.find("\"format\":");
    return at == std::string::npos ? text : text.substr(at);
}

}  // namespace

TEST_CASE("snapshot, changes, a message in parts, restarts, dead letters and trimming") {
    Compressed group;
    group.on_target("ALTER TABLE t ADD CHECK (v <> 'refused')");
    const Flags trimmed{"--copy-and-stream", "--stream-compression", "zstd:3", "--stream-retain", "0s"};
    group.start_replicator(compressed);
    group.start_worker({"--on-error", "dead-letter"});
    group.check_works();
    // Larger than max_payload, of one letter, and of letters that do not compress to less than it.
    group.on_source(
        "INSERT INTO wide VALUES (1, repeat('x', 3000000));"
        "INSERT INTO wide SELECT 2, string_agg(md5(i::text), '') FROM generate_series(1, 100000) i");
    group.check_works();
    CHECK(group.messages_with("Pgsluice-Encoded-Kind", "copy") > 0);
    CHECK(group.messages_with("Pgsluice-Encoded-Kind", "changes") > 0);
    CHECK(group.messages_with("Pgsluice-Part", "1/4") > 0);
    group.on_source("INSERT INTO t VALUES (90001, 'refused')");
    group.settle();
    group.kill_replicator();
    group.kill_worker();
    group.change(50'000);
    group.start_replicator(trimmed);
    group.start_worker({"--on-error", "dead-letter"});
    group.settle();
    CHECK(eventually("the stream is trimmed", [&] { return group.state().first_seq > StreamSeq{3}; }));
    group.stop();

    CHECK(contains(group.command({"dlq", "list"}).out, "insert of 'public.t'"));
    group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    must_succeed(run({PGSLUICE_BINARY, "dlq", "replay", "--group", group.group(), "--nats-url", shared_nats().url(),
                      "--worker-name", "postgres", "--target-url", group.target_url()}));
    CHECK(group.target_rows("t") == group.source_rows("t"));
    CHECK(contains(group.command({"repair"}).out, "holds nothing foreign"));
    CHECK(group.command({"status", "--raw"}).code == 0);
}

TEST_CASE("check leaks finds in compressed messages what rules hide") {
    Compressed group;
    group.start(compressed);
    group.check_works();
    group.stop();
    const std::string file = temporary_directory("leaks") + "/rules.yaml";
    std::ofstream(file) << "tables: {t: [{type: transform, column: v, parameters: {type: redact}}]}\n";
    const Finished leaks =
        run({PGSLUICE_BINARY, "check", "leaks", "--group", group.group(), "--stream", "--nats-url", shared_nats().url(),
             "--source-url", group.source_url(), "--target-url", group.target_url(), "--rules-config", file});
    CAPTURE(leaks.out);
    CAPTURE(leaks.err);
    CHECK(leaks.code == 1);
    CHECK(contains(leaks.out, "FOUND: public.t.v in stream public.t.v: "));
}

TEST_CASE("a compressed stream takes less, in sealed groups too, and holds no row in clear") {
    std::vector<std::uint64_t> bytes;
    const std::string key_file = temporary_directory("compressed") + "/keys";
    std::ofstream(key_file) << "k1:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n";
    REQUIRE(::chmod(key_file.c_str(), 0600) == 0);
    const Flags sealed{"--stream-key-file", key_file};
    for (const auto& [always, flags] : {std::pair{Flags{}, plain}, std::pair{Flags{}, compressed},
                                        std::pair{sealed, plain}, std::pair{sealed, compressed}}) {
        Compressed group(always);
        group.start(flags);
        group.check_works();
        group.stop();
        group.start(flags);
        group.check_works();
        bytes.push_back(group.state().bytes);
        group.stop();
    }
    CHECK(bytes[1] < bytes[0] / 2);
    CHECK(bytes[3] < bytes[2] / 2);
}

TEST_CASE("turned on and off in a running group: the format says so, and never falls") {
    Compressed group;
    group.start(plain);
    group.check_works();
    CHECK(contains(kept_format(group), "\"format\":1}"));
    CHECK(group.messages_with("Pgsluice-Encoding", "zstd") == 0);
    group.stop_replicator();
    group.start_replicator(compressed);
    group.check_works();
    CHECK(contains(kept_format(group), "\"format\":2}"));
    const int found = group.messages_with("Pgsluice-Encoding", "zstd");
    CHECK(found > 0);
    group.stop_replicator();
    group.start_replicator(plain);
    group.check_works();
    CHECK(contains(kept_format(group), "\"format\":2}"));
    CHECK(group.messages_with("Pgsluice-Encoding", "zstd") == found);
    // Another worker reads both.
    const Finished lines = run(group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"}));
    CAPTURE(lines.err);
    CHECK(lines.code == 0);
    CHECK(contains(lines.out, "canary number 4999"));
    group.stop();
}

TEST_CASE("an encoding that this program does not know stops the worker, and says which program does") {
    Compressed group;
    group.start(compressed);
    group.check_works();
    group.stop_replicator();
    group.broker->kv_put(group.names, "group",
                         fmt::format(R"({{"group":"g","program_version":"9.9.0","format":{}}})", format_version + 1));
    group.publish("?", {{"Pgsluice-Encoded-Kind", "changes"},
                        {"Pgsluice-Encoding", "later"},
                        {"Pgsluice-Position", "FFFF/0:1"},
                        {"Pgsluice-Confirmable", "FFFF/0"}});
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), fmt::format("in format {}, and this program knows formats up to {}",
                                                     format_version + 1, format_version)));
    CHECK(contains(group.worker().err(), "HINT: Use pgsluice 9.9.0 or later."));
}

TEST_CASE("a frame that is none, or claims too much: the replicator passes over it, repair gets the worker past it") {
    std::string body;
    std::string said;
    SUBCASE("none") {
        body = "garbage";
        said = "its body is not one zstd frame";
    }
    SUBCASE("one that claims 100 GB") {
        body = std::string("\x28\xb5\x2f\xfd\xe0\x00\xe8\x76\x48\x17\x00\x00\x00\x09\x00\x00x", 17);
        said = "the content of its body would be 100000000000 bytes long";
    }
    Compressed group;
    group.start(compressed);
    group.check_works();
    const MessageMeta last = group.broker->last_message(group.names.stream).value().meta;
    const Lsn later{last.position.commit.value + 8};
    const auto seq = group.publish(body, {{"Pgsluice-Encoded-Kind", "changes"},
                                          {"Pgsluice-Encoding", "zstd"},
                                          {"Pgsluice-Position", to_string(Position{later, 1})},
                                          {"Pgsluice-Confirmable", to_string(later)}});
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), said));
    CHECK(contains(group.worker().err(), "pgsluice repair --group " + group.group() + " --yes"));
    group.change(70'000);
    CHECK(says(group.replicator(), said));
    CHECK(contains(group.command({"repair", "--yes"}).out, fmt::format("removed message {} of stream", seq.value)));
    group.start_worker();
    group.check_works();
    group.stop();
}
