// `when` from end to end: at a worker, proved by compare, and at a replicator, whose stream holds no hidden value.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"
#include "tests/live/source_rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* rules_text = R"(
tables:
  people:
    - type: transform
      columns: [name, essay]
      parameters: {type: redact, length: 4}
      when: {column: country, operator: in, values: [DE, AT]}
)";

// The essays are stored out of line, so that an update which leaves one alone does not bring it.
constexpr const char* table =
    "CREATE TABLE people (id int PRIMARY KEY, name text, essay text, country text);"
    "ALTER TABLE people ALTER essay SET STORAGE EXTERNAL;";

std::string person(int id, const char* country, const char* word) {
    return "INSERT INTO people VALUES (" + std::to_string(id) + ", '" + word + "', repeat('" + word + " ', 1000), " +
           country + ");";
}

}  // namespace

TEST_CASE("when: rows that come under a condition are hidden, and rows that leave it are not") {
    const TextFile rules(rules_text);
    Pipeline pipeline;
    pipeline.on_source(std::string(table) + "ALTER TABLE people REPLICA IDENTITY FULL;" + person(1, "'DE'", "Anna") +
                       person(2, "'US'", "Bert") + person(3, "NULL", "Cleo") + person(4, "'US'", "Dora"));
    pipeline.on_target("CREATE TABLE people (id int PRIMARY KEY, name text, essay text, country text)");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    const auto names = [&] {
        return pipeline.target_scalar(
            "SELECT string_agg(concat_ws('|', id, name, left(essay, 4), length(essay)), ' ' ORDER BY id) FROM people");
    };
    CHECK(names() == "1|****|****|4 2|Bert|Bert|5000 3|****|****|4 4|Dora|Dora|5000");
    for (const char* statement :
         {"UPDATE people SET country = 'US' WHERE id = 1", "UPDATE people SET country = 'AT' WHERE id = 2",
          "UPDATE people SET name = 'Carl' WHERE id = 3", "UPDATE people SET name = 'Dana' WHERE id = 4",
          "UPDATE people SET id = 14 WHERE id = 4", "INSERT INTO people VALUES (5, 'Emma', 'Emma', 'DE')",
          "DELETE FROM people WHERE id = 5"})
        pipeline.on_source(statement);
    pipeline.settle();
    CHECK(names() == "1|Anna|Anna|5000 2|****|****|4 3|****|****|4 14|Dana|Dora|5000");
    const Finished compared = run_compare(pipeline, {"--rules-config", rules.path()});
    INFO(compared.err);
    CHECK(compared.code == 0);
    pipeline.stop();
}

TEST_CASE("when: at the replicator nothing hidden is published, and what cannot be known stops it") {
    RuledSource group(rules_text);
    group.on_source(std::string(table) + person(1, "'DE'", "canary") + person(2, "'US'", "plain"));
    group.on_target("CREATE TABLE people (id int PRIMARY KEY, name text, essay text, country text)");
    group.start_ruled();
    group.start_worker();
    group.on_source(person(3, "'AT'", "canary") + person(4, "NULL", "canary") +
                    "UPDATE people SET name = 'canary', essay = 'canary', country = 'DE' WHERE id = 2;"
                    "DELETE FROM people WHERE id = 3");
    group.settle();
    CHECK(group.target_rows("people") == Texts{"(1,****,****,DE)", "(2,****,****,DE)", "(4,****,****,)"});
    CHECK(group.found().empty());
    group.on_source("UPDATE people SET country = 'US' WHERE id = 1");
    CHECK(group.replicator().wait() == 1);
    CHECK(contains(group.replicator().err(), "the update may have changed what 'when' reads"));
    CHECK(contains(group.replicator().err(), "REPLICA IDENTITY FULL"));
    CHECK(group.found().empty());
    group.stop_worker();
}
