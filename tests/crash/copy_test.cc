// The copy is interrupted at moments of a seed's choosing; the target is exact nevertheless, also without a key.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

struct Copy : Pipeline {
    Copy() {
        on_both("CREATE TABLE keyed (id int PRIMARY KEY, pad text); CREATE TABLE keyless (n int, pad text)");
        on_source(R"(INSERT INTO keyed SELECT i, repeat('k', 200) FROM generate_series(1, 60000) AS i;
                     INSERT INTO keyless SELECT i / 2, repeat('n', 300) FROM generate_series(1, 60000) AS i)");
    }

    void check_exact() {
        settle();
        for (const std::string table : {"keyed", "keyless"}) {
            INFO(table << "; the replicator's messages:\n"
                       << replicator().err() << "the worker's messages:\n"
                       << worker().err());
            CHECK(source_sum(table) == target_sum(table));
        }
    }
};

// SIGTERM at any moment; the first instructions of a process do not know the signal yet.
void end(Process& process) {
    process.signal(SIGTERM);
    const int code = process.wait(std::chrono::seconds(5));
    CHECK((code == 0 || code == 128 + SIGTERM));
}

unsigned seed() {
    const char* given = std::getenv("PGSLUICE_CRASH_SEED");
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

int rounds() {
    const char* given = std::getenv("PGSLUICE_CRASH_ROUNDS");
    return given != nullptr ? std::atoi(given) : 4;
}

}  // namespace

TEST_CASE("replicator and worker killed or stopped at random moments of the copy") {
    const unsigned chosen = seed();
    INFO("PGSLUICE_CRASH_SEED=" << chosen);
    std::mt19937 random(chosen);
    const auto dice = [&](int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random); };
    for (int round = 0; round < rounds(); ++round) {
        CAPTURE(round);
        Copy copy;
        copy.start();
        for (int faults = 1 + dice(3); faults > 0; --faults) {
            std::this_thread::sleep_for(std::chrono::milliseconds(dice(400)));  // the moment is the seed's
            const int fault = dice(5);
            CAPTURE(fault);
            if (fault == 0) end(copy.worker());
            if (fault == 1 || fault == 3) copy.kill_replicator();
            if (fault == 2 || fault == 3) copy.kill_worker();
            if (fault == 0 || fault == 4) end(copy.replicator());
            if (fault != 2) copy.start_replicator();
            if (fault != 1 && fault != 4) copy.start_worker();
        }
        copy.on_source(
            "UPDATE keyed SET pad = 'changed' WHERE id % 1000 = 0; INSERT INTO keyless VALUES (-1, 'after')");
        copy.check_exact();
        copy.stop();
    }
}
