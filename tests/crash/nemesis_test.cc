// Nothing lost, nothing twice, whatever dies: writers on the source, seeded faults everywhere, and every few rounds the
// target equals the source, the files hold every change once and in order, the webhook has taken every change.
//
// PGSLUICE_CRASH_SEED repeats a run's faults and transactions, PGSLUICE_CRASH_ROUNDS says how many faults; the long
// form is tests/crash/run.
#include <doctest/doctest.h>

#include "tests/crash/file_worker.h"
#include "tests/crash/nemesis.h"
#include "tests/crash/seed.h"
#include "tests/crash/total_reader.h"
#include "tests/crash/webhook_worker.h"
#include "tests/crash/workload.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("writers, faults, equality") {
    const unsigned seed = crash_seed();
    const int rounds = crash_rounds(8);
    INFO("PGSLUICE_CRASH_SEED=" << seed);

    PostgresServer source;
    PostgresServer target;
    NatsServer nats;
    const PipelineServers servers{source, target, nats};
    Links links(servers);
    Pipeline pipeline(servers);
    pipeline.on_both(Workload::schema());
    pipeline.on_source(Workload::rows());
    Nemesis::prepare(pipeline, links, seed);
    FileWorker file_worker(pipeline);
    WebhookWorker webhook_worker(pipeline, seed);
    Nemesis nemesis({pipeline, servers, links, file_worker.actor, webhook_worker.actor}, seed);
    nemesis.start();
    pipeline.settle();
    SourceLog log(source, pipeline.source_db());
    // Registered from here on: nothing they need is trimmed.
    file_worker.check(log, pipeline.last_mark());
    webhook_worker.check(log, pipeline.last_mark());

    TotalReader reader(target, pipeline.target_db());
    constexpr int rounds_between_checks = 5;
    for (int round = 0; round < rounds;) {
        std::string struck;
        Workload workload(source, pipeline.source_db(), seed + static_cast<unsigned>(round), 4);
        for (int i = 0; i < rounds_between_checks && round < rounds; ++i, ++round) struck += nemesis.strike() + "; ";
        workload.stop();
        INFO("up to round " << round << ": " << struck);
        pipeline.settle(std::chrono::seconds(120));
        for (const auto& table : Workload::tables()) {
            CAPTURE(table);
            INFO("the replicator's messages:\n" << pipeline.replicator().err());
            INFO("the worker's messages:\n" << pipeline.worker().err());
            CHECK(pipeline.source_sum(table) == pipeline.target_sum(table));
        }
        log.read();
        file_worker.check(log, pipeline.last_mark());
        webhook_worker.check(log, pipeline.last_mark());
        CHECK(workload.committed() > 0);
        CHECK(pipeline.source_scalar(Workload::total_query()) == Workload::total());
        CHECK(reader.wrong() == 0);
        std::cout << "round " << round << ": " << struck << log.changes().size() << " changes in all, "
                  << webhook_worker.refused() << " requests refused, " << webhook_worker.repeated()
                  << " changes repeated, the total seen " << reader.looked() << " times" << std::endl;
    }
    CHECK(reader.looked() > 0);
    pipeline.stop();
}
