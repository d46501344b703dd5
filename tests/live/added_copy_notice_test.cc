// The copy of tables that joined a running group, as each sink of lines tells its reader: it voids nothing, and when it
// was interrupted only its own rows.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "sinks/file/sink.h"
#include "sinks/nats/sink.h"
#include "sinks/stdout/sink.h"
#include "sinks/webhook/sink.h"
#include "tests/support/http_receiver.h"
#include "tests/support/nats_server.h"
#include "tests/support/sink_feed.h"
#include "tests/support/user_stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const RelationPtr& items() {
    static const RelationPtr relation = make_relation("public", "items", {"id integer*", "n integer"});
    return relation;
}

struct Warnings {
    std::vector<std::string> texts;
    Log log() {
        return [this](LogLevel level, std::string_view text) {
            if (level == LogLevel::warning) texts.emplace_back(text);
        };
    }
};

constexpr const char* notice =
    R"({"Type":"SNAPSHOT","Epoch":4,"LSN":"0/400","Tables":[{"Schema":"public","Table":"items"}]})";

SnapshotBegin added(std::uint64_t epoch, Lsn point) {
    SnapshotBegin begin;
    begin.epoch = epoch;
    begin.consistent_point = point;
    begin.added = true;
    return begin;
}

// A worker past the group's first copies meets a copy of added tables, which ends, and one that is interrupted, which
// the replicator tells by a copy of nothing. `read` returns the notices so far.
void check_notices(Sink& sink, const Warnings& warnings, const std::function<std::vector<std::string>()>& read) {
    CHECK_FALSE(sink.takes_copy());
    sink.begin_snapshot(added(2, Lsn{0x200}), {items()}, {StreamSeq{20}, {Lsn{0x200}, 0}});
    sink.end_snapshot({}, {StreamSeq{22}, {Lsn{0x200}, 0}});
    sink.begin_snapshot(added(3, Lsn{0x300}), {items(), nullptr}, {StreamSeq{30}, {Lsn{0x300}, 0}});
    sink.flush();
    CHECK(read().empty());
    CHECK(warnings.texts.empty());
    sink.begin_snapshot(added(4, Lsn{0x400}), {}, {StreamSeq{40}, {Lsn{0x400}, 0}});
    sink.end_snapshot({}, {StreamSeq{41}, {Lsn{0x400}, 0}});
    sink.flush();
    CHECK(read() == std::vector<std::string>{notice});
    REQUIRE(warnings.texts.size() == 1);
    CHECK(warnings.texts[0].find("the copy of newly added tables was interrupted: the rows of it that were ") == 0);
}

struct Directory {
    Directory() {
        char name[] = "/tmp/pgsluice-added-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string path;
};

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("stdout: a copy of added tables voids at most its own rows") {
    const Directory directory;
    const std::string path = directory.path + "/out";
    StdoutSinkOptions options;
    options.fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    Warnings warnings;
    const auto sink = make_stdout_sink(options, warnings.log(), {});
    sink->open();
    check_notices(*sink, warnings, [&] { return lines_of(path); });
    ::close(options.fd);
}

TEST_CASE("webhook: a copy of added tables voids at most its own rows") {
    HttpReceiver receiver([](const HttpRequest&) { return HttpReply(); });
    WebhookSinkOptions options;
    options.url = receiver.url();
    Warnings warnings;
    const auto sink = make_webhook_sink(options, warnings.log(), {});
    sink->open();
    check_notices(*sink, warnings, [&] {
        std::vector<std::string> bodies;
        for (const HttpRequest& request : receiver.requests()) bodies.push_back(request.body);
        return bodies;
    });
}

TEST_CASE("nats: a copy of added tables voids at most its own rows") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    NatsSinkOptions options;
    options.group = "shop";
    BrokerOptions broker;
    broker.url = server.url();
    Warnings warnings;
    const auto sink = make_nats_sink(options, broker, warnings.log(), {});
    sink->open();
    check_notices(*sink, warnings, [&] {
        std::vector<std::string> bodies;
        for (const auto& message : stream.read()) bodies.push_back(message.body);
        return bodies;
    });
}

TEST_CASE("file: rows of added tables follow without a line that voids the finished files") {
    const Directory directory;
    FileSinkOptions options;
    options.output_dir = directory.path;
    options.group = "shop";
    const auto sink = make_file_sink(options, [](LogLevel, std::string_view) {}, {});
    sink->open();
    SinkFeed feed;
    feed.insert(items(), {text("1"), text("x")});
    sink->apply(feed.complete());
    sink->begin_snapshot(added(2, Lsn{0x200}), {items()}, {StreamSeq{20}, {Lsn{0x200}, 0}});
    feed.insert(items(), {text("2"), text("y")});
    sink->apply(feed.complete());
    sink->end_snapshot({}, {StreamSeq{22}, {Lsn{0x200}, 0}});
    sink->close();
    std::size_t lines = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path)) {
        if (entry.path().extension() != ".jsonl") continue;
        for (const std::string& line : lines_of(entry.path())) {
            CHECK(line.find("SNAPSHOT") == std::string::npos);
            ++lines;
        }
    }
    CHECK(lines == 2);
}
