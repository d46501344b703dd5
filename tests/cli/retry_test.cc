// The real binary when a server does not answer: it says so, tries again, gives up or lets itself be stopped.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// A worker whose NATS server is not there.
std::vector<std::string> lonely_worker(const std::vector<std::string>& more) {
    std::vector<std::string> words{PGSLUICE_BINARY,
                                   "worker",
                                   "stdout",
                                   "--group",
                                   "g",
                                   "--nats-url",
                                   "nats://127.0.0.1:" + std::to_string(free_port())};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

}  // namespace

TEST_CASE("tries at start are counted, then the exit code says that it may succeed later") {
    const Finished finished =
        run(lonely_worker({"--retry-max-attempts", "2", "--retry-initial-wait", "1ms", "--retry-max-wait", "1ms"}));
    CHECK(finished.code == 4);
    CHECK(finished.out.empty());
    CHECK(contains(finished.err, "trying again in 1 ms (retry 1 of 2)"));
    CHECK(contains(finished.err, "trying again in 1 ms (retry 2 of 2)"));
    CHECK(contains(finished.err, "\nerror: "));
}

TEST_CASE("a log in JSON ends with the error in JSON") {
    const Finished finished = run(lonely_worker({"--retry-max-attempts", "0", "--log-format", "json"}));
    CHECK(finished.code == 4);
    CHECK(contains(finished.err, "\"level\":\"error\",\"message\":\""));
    CHECK_FALSE(contains(finished.err, "\nerror: "));
}

TEST_CASE("SIGTERM and SIGINT end a wait with exit code 0") {
    for (const int signal : {SIGTERM, SIGINT}) {
        Process worker({.argv = lonely_worker({"--retry-initial-wait", "1h", "--retry-max-wait", "1h"}),
                        .environment = {},
                        .stdout_file = "",
                        .run_as = 0});
        REQUIRE(eventually("it waits", [&] { return contains(worker.err(), "trying again in"); }));
        worker.signal(signal);
        CHECK(worker.wait() == 0);
    }
}
