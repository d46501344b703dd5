// Nothing lost, nothing twice, whatever dies: writers on the source, seeded faults everywhere, and at the end equality.
//
// PGSLUICE_CRASH_SEED repeats a run's faults and transactions, PGSLUICE_CRASH_ROUNDS says how many faults; the long
// form is tests/crash/run.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "tests/crash/nemesis.h"
#include "tests/crash/workload.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

unsigned number_from(const char* variable, unsigned otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

// Looks at the target all the time: the transfers' total is never off, in no snapshot of any moment.
class TotalReader {
   public:
    TotalReader(PostgresServer& server, std::string database)
        : server_(server), database_(std::move(database)), thread_([this] { run(); }) {}
    ~TotalReader() {
        stopping_ = true;
        thread_.join();
    }
    [[nodiscard]] long looked() const { return looked_; }
    [[nodiscard]] long wrong() const { return wrong_; }

   private:
    void run() {
        std::optional<sql::Connection> connection;
        while (!stopping_) {
            try {
                if (!connection) connection.emplace(server_.connect(database_));
                ++looked_;
                if (connection->exec(Workload::total_query()).text(0, 0) != Workload::total()) ++wrong_;
            } catch (const std::exception&) {  // the target is being killed
                connection.reset();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    PostgresServer& server_;
    std::string database_;
    std::atomic<bool> stopping_ = false;
    std::atomic<long> looked_ = 0;
    std::atomic<long> wrong_ = 0;
    std::thread thread_;
};

}  // namespace

TEST_CASE("writers, faults, equality") {
    const unsigned seed = number_from("PGSLUICE_CRASH_SEED", std::random_device{}());
    const unsigned rounds = number_from("PGSLUICE_CRASH_ROUNDS", 15);
    std::cout << "PGSLUICE_CRASH_SEED=" << seed << "\n";
    INFO("PGSLUICE_CRASH_SEED=" << seed);

    PostgresServer source;
    PostgresServer target;
    NatsServer nats;
    const PipelineServers servers{source, target, nats};
    Pipeline pipeline(servers);
    pipeline.on_both(Workload::schema());
    pipeline.on_source(Workload::rows());
    pipeline.start();
    pipeline.settle();

    Nemesis nemesis(pipeline, servers, seed);
    TotalReader reader(target, pipeline.target_db());
    constexpr unsigned rounds_between_checks = 5;
    for (unsigned round = 0; round < rounds;) {
        std::string struck;
        Workload workload(source, pipeline.source_db(), seed + round, 4);
        for (unsigned i = 0; i < rounds_between_checks && round < rounds; ++i, ++round)
            struck += nemesis.strike() + "; ";
        workload.stop();
        INFO("up to round " << round << ": " << struck);
        pipeline.settle(std::chrono::seconds(120));
        for (const auto& table : Workload::tables()) {
            CAPTURE(table);
            INFO("the replicator's messages:\n" << pipeline.replicator().err());
            INFO("the worker's messages:\n" << pipeline.worker().err());
            CHECK(pipeline.source_sum(table) == pipeline.target_sum(table));
        }
        CHECK(workload.committed() > 0);
        CHECK(pipeline.source_scalar(Workload::total_query()) == Workload::total());
        CHECK(reader.wrong() == 0);
    }
    CHECK(reader.looked() > 0);
    pipeline.stop();
}
