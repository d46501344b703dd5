// The copy's progress as people and tools see it: bars on a terminal, the log elsewhere, KV for both.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fstream>

#include "stream/broker.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/terminal_screen.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A copy that cannot end, for its stream is small and no worker reads it.
struct StuckCopy : Pipeline {
    StuckCopy() {
        on_source("CREATE TABLE rows AS SELECT i, repeat('x', 500) AS pad FROM generate_series(1, 30000) i");
    }

    // Its output on a terminal.
    Process on_terminal(std::vector<std::string> more = {}) {
        std::vector<std::string> flags{"--copy", "--stream-max-bytes", "4MB"};
        flags.insert(flags.end(), more.begin(), more.end());
        std::string command = "stty cols 120 rows 40; exec";
        for (const std::string& word : replicator_argv(flags)) command += " '" + word + "'";
        return Process({.argv = {"script", "-qec", command, "/dev/null"}, .environment = {{"TERM", "xterm"}}});
    }
};

bool is_log_line(const std::string& line) { return line.size() > 25 && line[4] == '-' && line[23] == 'Z'; }

}  // namespace

TEST_CASE("on a terminal bars are drawn below the log, which stays readable") {
    StuckCopy copy;
    Process replicator = copy.on_terminal();
    CHECK(eventually("the log speaks while bars are drawn", [&] {
        return replicator.out().find("it waits for a first worker") != std::string::npos &&
               replicator.out().rfind("of 2 tables") > replicator.out().find("it waits for a first worker");
    }));
    std::vector<std::string> screen;
    REQUIRE(eventually("a whole picture is there", [&] {
        screen = screen_of(replicator.out());
        return screen.size() > 3 && screen.back().empty() && screen[screen.size() - 3].starts_with("public.rows") &&
               screen[screen.size() - 2].find(" of 2 tables ") != std::string::npos;
    }));
    const std::string total = screen[screen.size() - 2];
    const std::string table = screen[screen.size() - 3];
    CHECK(table.starts_with("public.rows"));
    CHECK(table.find("[####") != std::string::npos);
    CHECK(total.find(" of 2 tables ") != std::string::npos);
    CHECK(total.find("MB/s") != std::string::npos);
    for (std::size_t i = 0; i + 3 < screen.size(); ++i) {
        CAPTURE(screen[i]);
        CHECK(is_log_line(screen[i]));
    }
    // Let through, it leaves nothing but the log.
    copy.on_target("CREATE TABLE rows (i int, pad text)");
    copy.start_worker();
    const bool ended = eventually("the copy ends", [&] { return !replicator.running(); });
    INFO("the worker's messages:\n" << copy.worker().err() << "\nthe terminal:\n" << replicator.out());
    REQUIRE(ended);
    CHECK(replicator.wait() == 0);
    screen = screen_of(replicator.out());
    for (const std::string& line : screen) CHECK((line.empty() || is_log_line(line)));
    CHECK(replicator.out().find("2 of 2 tables complete") != std::string::npos);
    copy.kill_worker();
}

TEST_CASE("asked to stop in mid-copy, the bars are gone") {
    StuckCopy copy;
    Process replicator = copy.on_terminal();
    CHECK(eventually("bars are drawn", [&] { return replicator.out().find("of 2 tables") != std::string::npos; }));
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", replicator.pid()));
    pid_t child = 0;
    children >> child;
    REQUIRE(child > 0);
    CHECK(::kill(child, SIGTERM) == 0);
    CHECK(replicator.wait() == 0);
    for (const std::string& line : screen_of(replicator.out())) CHECK((line.empty() || is_log_line(line)));
}

TEST_CASE("a log that machines read, and one that is not a terminal, get lines; KV has the same figures") {
    StuckCopy copy;
    Process json = copy.on_terminal({"--log-format", "json"});
    const auto broker = connect_broker();
    std::string figures;
    CHECK(eventually("KV tells", [&] {
        const auto value = broker->kv_get(names_for(copy.group()), "snapshot");
        figures = value ? value->text : "";
        return figures.find(R"("table":"public.rows")") != std::string::npos;
    }));
    CHECK(figures.find(R"("seconds_left":)") != std::string::npos);
    CHECK(figures.find(R"("mb_per_second":)") != std::string::npos);
    CHECK(eventually("the log tells", [&] { return json.out().find("copied ") != std::string::npos; }));
    CHECK(json.out().find('\x1b') == std::string::npos);
    CHECK(json.out().find("tables complete; ") != std::string::npos);
}

TEST_CASE("a stream that is told to forget in mid-copy ends the copy") {
    StuckCopy copy;
    const auto broker = connect_broker();
    const auto names = names_for(copy.group());
    copy.start_replicator({"--copy", "--stream-max-bytes", "4MB", "--retry-max-attempts", "0"});
    REQUIRE(eventually("the copy waits for room", [&] {
        return copy.replicator().err().find("it waits for a first worker") != std::string::npos;
    }));
    ask_jetstream(*broker, "$JS.API.STREAM.UPDATE." + names.stream,
                  R"({"name":")" + names.stream + R"(","subjects":[")" + names.snapshot_subject + R"(",")" +
                      names.changes_subject +
                      R"("],"retention":"limits","storage":"file","num_replicas":1,"max_bytes":4000000,)"
                      R"("discard":"new","max_age":90000000000000})");
    REQUIRE(eventually("it has a maximum age", [&] { return broker->stream_state(names.stream)->max_age_ns != 0; }));
    REQUIRE(eventually("the replicator ends", [&] { return !copy.replicator().running(); }));
    CHECK(copy.replicator().err().find("its settings were changed") != std::string::npos);
}
