// The copy is interrupted at moments of a seed's choosing while others write at full speed; the target is exact
// nevertheless, also without a key.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "tests/crash/copy_writer.h"
#include "tests/crash/seed.h"
#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

struct Copy : Pipeline {
    Copy(PostgresServer& server, unsigned seed) : Pipeline({server, shared_postgres(), shared_nats()}) {
        on_both(CopyWriter::schema());
        on_source(CopyWriter::rows());
        writer.emplace(server, source_db(), seed, 3);
    }

    // Behind the copy's beginning, by at most so much.
    void wait_for_a_moment(int ms) {
        eventually("the copy has begun",
                   [&] { return replicator().err().find("copying ") != std::string::npos || !replicator().running(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    }

    [[nodiscard]] bool copied() { return worker().err().find("snapshot complete") != std::string::npos; }

    void check_exact() {
        eventually("there is something to compare", [&] { return writer->committed() > 100; });
        writer->stop();
        settle(std::chrono::seconds(120));
        for (const auto& table : CopyWriter::tables()) {
            INFO(table << "; the replicator's messages:\n"
                       << replicator().err() << "the worker's messages:\n"
                       << worker().err());
            CHECK(source_sum(table) == target_sum(table));
        }
        stop();
    }

    std::optional<CopyWriter> writer;
};

// SIGTERM at any moment; the first instructions of a process do not know the signal yet.
void end(Process& process) {
    process.signal(SIGTERM);
    const int code = process.wait(std::chrono::seconds(15));
    INFO(process.err());
    CHECK((code == 0 || code == 128 + SIGTERM));
}

// How long the copy takes here, about; the moments are spread over it.
int copy_ms = 800;

}  // namespace

TEST_CASE("kill -9 of the replicator or of the worker at random moments of the copy") {
    const unsigned seed = crash_seed();
    INFO("PGSLUICE_CRASH_SEED=" << seed);
    std::mt19937 random(seed);
    const int rounds = crash_rounds(1);
    int within = 0;
    for (int round = 0; round < 2 * rounds; ++round) {
        const bool of_replicator = round % 2 == 0;
        const int moment = static_cast<int>(random() % static_cast<unsigned>(copy_ms));
        CAPTURE(round);
        CAPTURE(of_replicator);
        CAPTURE(moment);
        Copy copy(shared_postgres(), seed + static_cast<unsigned>(round));
        copy.start();
        copy.wait_for_a_moment(moment);
        within += copy.copied() ? 0 : 1;
        if (of_replicator) {
            copy.kill_replicator();
            copy.start_replicator();
        } else {
            copy.kill_worker();
            copy.start_worker();
        }
        copy.check_exact();
    }
    std::cout << within << " of " << 2 * rounds << " kills came before the worker had the copy complete" << std::endl;
}

TEST_CASE("replicator and worker killed or stopped several times during the copy") {
    const unsigned seed = crash_seed();
    INFO("PGSLUICE_CRASH_SEED=" << seed);
    std::mt19937 random(seed);
    const auto dice = [&](int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random); };
    for (int round = 0; round < crash_rounds(2); ++round) {
        CAPTURE(round);
        Copy copy(shared_postgres(), seed + static_cast<unsigned>(round));
        copy.start();
        for (int faults = 1 + dice(3); faults > 0; --faults) {
            std::this_thread::sleep_for(std::chrono::milliseconds(dice(copy_ms)));
            const int fault = dice(5);
            CAPTURE(fault);
            if (fault == 0) end(copy.worker());
            if (fault == 1 || fault == 3) copy.kill_replicator();
            if (fault == 2 || fault == 3) copy.kill_worker();
            if (fault == 0 || fault == 4) end(copy.replicator());
            if (fault != 2) copy.start_replicator();
            if (fault != 1 && fault != 4) copy.start_worker();
        }
        copy.check_exact();
    }
}
