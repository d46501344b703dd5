// Random changes of the set of tables, restarts and kills, while writers run: in the end the target has all rows of all
// tables in the group, by their sums and by `pgsluice compare`.
//
// PGSLUICE_CRASH_SEED is the first case's seed, PGSLUICE_CRASH_CASES says how many cases, PGSLUICE_CRASH_ROUNDS how
// many steps each has.
#include <doctest/doctest.h>

#include <iostream>
#include <string>
#include <vector>

#include "tests/crash/seed.h"
#include "tests/crash/table_changes.h"
#include "tests/crash/table_writer.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

void await_equal(Pipeline& pipeline, TableChanges& changes) {
    for (const std::string& table : changes.in_group()) {
        const std::string sum = pipeline.source_sum(table);
        const bool equal = eventually(
            table + " is equal",
            [&] {
                changes.revive();
                return pipeline.target_sum(table) == sum;
            },
            std::chrono::seconds(120));
        INFO(changes.messages());
        const Finished known =
            run({PGSLUICE_BINARY, "tables", "--group", pipeline.group(), "--nats-url", shared_servers().nats.url()});
        INFO("pgsluice tables:\n" << known.out << known.err);
        INFO("the first difference: " << first_difference(pipeline.source_rows(table), pipeline.target_rows(table)));
        REQUIRE(equal);
    }
}

// A partition that was just detached may have left unnoticed; then it says to run it again.
void compare(Pipeline& pipeline, TableChanges& changes) {
    const PipelineServers servers = shared_servers();
    const auto once = [&] {
        return run(
            {PGSLUICE_BINARY, "compare", "--group", pipeline.group(), "--nats-url", servers.nats.url(), "--source-url",
             servers.source.url(pipeline.source_db()), "--target-url", servers.target.url(pipeline.target_db())},
            {}, std::chrono::seconds(120));
    };
    Finished compared;
    eventually("the replicator has noticed what left", [&] {
        compared = once();
        return !contains(compared.err, "has left the publication");
    });
    INFO(compared.out << compared.err);
    INFO(changes.messages());
    REQUIRE(compared.code == 0);
}

void play(unsigned seed, int rounds) {
    INFO("PGSLUICE_CRASH_SEED=" << seed);
    Pipeline pipeline;
    TableChanges changes(pipeline, seed);
    TableWriter writer(shared_postgres(), pipeline.source_db(), seed, 3);
    changes.start();
    std::string history;
    for (int round = 0; round < rounds; ++round) {
        INFO("so far: " << history);
        history += changes.step() + "; ";
    }
    changes.make_comparable();
    writer.stop();
    INFO("all: " << history);
    await_equal(pipeline, changes);
    changes.disarm();
    compare(pipeline, changes);
    changes.stop();
    std::cout << "seed " << seed << " of " << rounds << " steps, " << writer.committed() << " transactions: equal"
              << std::endl;
}

}  // namespace

TEST_CASE("random changes of the set of tables while writers run, restarts and kills") {
    const unsigned seed = crash_seed();
    const unsigned cases = number_from("PGSLUICE_CRASH_CASES", 1);
    for (unsigned i = 0; i < cases; ++i) play(seed + i, crash_rounds(10));
}
