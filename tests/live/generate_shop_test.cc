// examples/generate-shop: the same rows from the same seed, and a load that a group follows.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> tables{"organisations", "users", "subscriptions", "orders"};

std::string generate(std::vector<std::string> words) {
    words.insert(words.begin(), PGSLUICE_SOURCE_DIR "/examples/generate-shop");
    const Finished finished = run(words);
    must_succeed(finished);
    return finished.out;
}

}  // namespace

TEST_CASE("examples/generate-shop: one seed gives the same rows everywhere, another one others") {
    Pipeline pipeline;
    pipeline.on_both(generate({"schema"}));
    const std::string rows = generate({"--scale", "2", "data"});
    pipeline.on_both(rows);
    CHECK(pipeline.source_scalar("SELECT count(*) FROM orders") == "2000");
    CHECK(pipeline.source_scalar("SELECT count(*) FROM users") == "400");
    for (const std::string& table : tables) CHECK(pipeline.source_sum(table) == pipeline.target_sum(table));
    // As this was written: on other machines and versions, too.
    CHECK(pipeline.source_scalar("SELECT md5(string_agg(u::text, ';' ORDER BY id)) FROM (SELECT id, organisation_id, "
                                 "name, email, phone, born, address, interests, about FROM users) u") ==
          "2335c8d401872667efbe3e16eb828c2d");
    pipeline.on_target("TRUNCATE organisations, users, subscriptions, orders");
    pipeline.on_target(generate({"--seed", "2", "--scale", "2", "data"}));
    for (const std::string& table : tables) CHECK(pipeline.source_sum(table) != pipeline.target_sum(table));
}

TEST_CASE("examples/generate-shop: a group follows its load") {
    Pipeline pipeline;
    pipeline.on_both(generate({"schema"}));
    pipeline.on_source(generate({"data"}));
    pipeline.start();
    const std::string load = temporary_directory("load") + "/load.sql";
    std::ofstream(load) << generate({"load"});
    must_succeed(run({"pgbench", "-n", "-c", "2", "-t", "200", "--random-seed=7", "-f", load, pipeline.source_url()}));
    CHECK(pipeline.source_scalar("SELECT count(*) FROM orders") != "1000");
    pipeline.check_equal(tables);
    pipeline.stop();
}

TEST_CASE("examples/generate-shop: what it does not know is refused with its usage") {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"rows"},
                                                  {"--scale", "0", "data"},
                                                  {"--seed", "x", "data"},
                                                  {"schema", "data"}}) {
        std::vector<std::string> argv{PGSLUICE_SOURCE_DIR "/examples/generate-shop"};
        argv.insert(argv.end(), words.begin(), words.end());
        const Finished finished = run(argv);
        CHECK(finished.code == 2);
        CHECK(finished.err.starts_with("usage: examples/generate-shop"));
    }
}
