// A process that has nothing to do sleeps: what it does, and what it waits for, costs few wake-ups a second.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

// How often its threads have gone to sleep. One that has ended meanwhile is left out.
long sleeps(const Process& process) {
    long sum = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task")) {
        std::ifstream status(thread.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("voluntary_ctxt_switches:")) sum += std::stol(line.substr(line.find('\t')));
    }
    return sum;
}

// A group's two loops wake up about 20 times a second; a thread that does not sleep at all does so 10,000 times.
// Such a thread goes on; what is still busy with its start, or with what has just happened, becomes quiet.
void check_sleeps(const std::string& who, const Process& process) {
    constexpr int seconds = 4;
    CHECK(eventually(who + " sleeps", [&] {
        const long before = sleeps(process);
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        return (sleeps(process) - before) / seconds < 200;
    }));
}

}  // namespace

TEST_CASE("idle: a group in which nothing moves, its standby, and both without NATS") {
    NatsServer nats;
    Pipeline group({shared_postgres(), shared_postgres(), nats});
    group.start();
    group.settle();
    Process standby({.argv = group.replicator_argv({"--copy-and-stream", "--standby"})});
    says(standby, "standing by");
    check_sleeps("replicator", group.replicator());
    check_sleeps("worker", group.worker());
    check_sleeps("standby", standby);
    nats.kill();
    check_sleeps("replicator without NATS", group.replicator());
    check_sleeps("worker without NATS", group.worker());
    check_sleeps("standby without NATS", standby);
    standby.signal(SIGTERM);
    CHECK(standby.wait(std::chrono::seconds(20)) == 0);
    nats.start();
    group.settle();
    group.stop();
}
