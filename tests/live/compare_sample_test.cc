// compare --sample-percent: what differs within the sample is found, at both ends, and nothing else is looked at.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/live/compare_fixture.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

// The keys that a report lists, as an SQL list.
std::string listed_keys(const std::string& report) {
    std::string keys;
    for (std::size_t at = 0; (at = report.find(")=('", at)) != std::string::npos;) {
        at += 3;
        keys += (keys.empty() ? "" : ",") + report.substr(at, report.find_first_of(",)", at) - at);
    }
    return keys;
}

Finished sample(const Pipeline& pipeline, const std::string& table) {
    return run_compare(pipeline, {"--sample-percent", "5", "--tables", table, "--max-differences", "5000"});
}

void check_sample_of(Pipeline& pipeline, const std::string& table) {
    INFO(table);
    const auto on_target = [&](std::string_view statement) {
        pipeline.on_target(fmt::format(fmt::runtime(statement), fmt::arg("t", table)));
    };
    Finished done = sample(pipeline, table);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(done.out.find(fmt::format("public.{}: equal, ", table)) == 0);
    CHECK(done.out.find(" rows in the sample\n") != std::string::npos);
    CHECK(done.out.find(" rows, a sample of 5 %, in ") != std::string::npos);

    // All rows differ: those that are listed are the sample.
    on_target("UPDATE {t} SET pad = 'other'");
    done = sample(pipeline, table);
    CHECK(done.code == 1);
    const std::string keys = listed_keys(done.out);
    const auto count = std::ranges::count(keys, ',') + 1;
    CHECK(count > 12'000 / 40);
    CHECK(count < 12'000 / 10);
    on_target("UPDATE {t} SET pad = repeat('x', 300)");
    CHECK(sample(pipeline, table).code == 0);

    on_target("CREATE TABLE kept AS SELECT * FROM {t} WHERE k::text NOT IN (" + keys + ") OR pad IS NULL LIMIT 5000");
    on_target("DELETE FROM {t} WHERE k IN (SELECT k FROM kept); UPDATE {t} SET pad = 'other' WHERE k::text NOT IN (" +
              keys + ")");
    CHECK(sample(pipeline, table).code == 0);  // as far as a sample can see

    const std::string first = keys.substr(0, keys.find(','));
    on_target("DELETE FROM {t} WHERE k::text = " + first);
    done = sample(pipeline, table);
    CHECK(done.code == 1);
    CHECK(done.out.find(fmt::format("public.{}: 1 row differs; in the sample the source has {} rows, the target {} "
                                    "rows\n",
                                    table, count, count - 1)) == 0);
    CHECK(listed_keys(done.out) == first);
    on_target("DROP TABLE kept");
}

}  // namespace

TEST_CASE("a sample of each kind of key is the same rows at both ends") {
    Pipeline pipeline;
    const std::string tables =
        "CREATE TABLE i (k bigint PRIMARY KEY, pad text); CREATE TABLE u (k uuid PRIMARY KEY, pad text);"
        "CREATE TABLE s (k text PRIMARY KEY, pad text);"
        "CREATE TABLE c (k int, l int, pad text, PRIMARY KEY (k, l));"
        "CREATE TABLE f (g int, k int, pad text, PRIMARY KEY (g, k));";  // few values of the first column
    pipeline.on_both(tables);
    pipeline.on_source(
        "INSERT INTO i SELECT x * 37 - 200000, repeat('x', 300) FROM generate_series(1, 12000) x;"
        "INSERT INTO u SELECT md5(x::text)::uuid, repeat('x', 300) FROM generate_series(1, 12000) x;"
        "INSERT INTO s SELECT 'ä-' || x, repeat('x', 300) FROM generate_series(1, 12000) x;"
        "INSERT INTO c SELECT x, 1, repeat('x', 300) FROM generate_series(1, 12000) x;"
        "INSERT INTO f SELECT 1, x, repeat('x', 300) FROM generate_series(1, 12000) x");
    pipeline.start();
    pipeline.settle();
    for (const char* table : {"i", "u", "s", "c"}) check_sample_of(pipeline, table);

    // A range that no row of the source is in but the last.
    pipeline.on_target("INSERT INTO i VALUES (10000000, 'more')");
    CHECK(sample(pipeline, "i").out.find("  (k)=('10000000'): on the target only\n") != std::string::npos);
    const Finished json = run_compare(pipeline, {"--sample-percent", "5", "--tables", "f", "--json"});
    CHECK(json.out.find(R"("sample_percent":5,"tables":[{"table":"public.f","equal":true,"sample":true,)") !=
          std::string::npos);
    CHECK(json.out.find(R"("source_rows":12000)") == std::string::npos);
    pipeline.stop();
}

TEST_CASE("a table of few pages, or without a key, is compared whole") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE few (k int PRIMARY KEY); CREATE TABLE nokey (k int, pad text);"
        "ALTER TABLE nokey REPLICA IDENTITY FULL");
    pipeline.on_source(
        "INSERT INTO few SELECT generate_series(1, 100);"
        "INSERT INTO nokey SELECT x, repeat('x', 300) FROM generate_series(1, 12000) x");
    pipeline.start();
    pipeline.settle();
    const Finished done = run_compare(pipeline, {"--sample-percent", "1"});
    CHECK(tables_of(done.out) == "public.few: equal, 100 rows\npublic.nokey: equal, 12000 rows\n");
    pipeline.stop();
}

TEST_CASE("a sample of a table with rules is the same rows at both ends") {
    const TextFile rules("tables: {t: [{type: transform, column: email, parameters: {type: mask}}]}");
    Pipeline pipeline;
    const std::string table = "CREATE TABLE t (id int PRIMARY KEY, email text, pad text)";
    pipeline.on_both(table);
    pipeline.on_source(
        "INSERT INTO t SELECT i, 'user' || i || '@example.com', repeat('x', 300) FROM generate_series(1, 12000) i");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    pipeline.on_target("DELETE FROM t WHERE id = 12000; UPDATE t SET pad = 'other' WHERE id = 1");
    const Finished done = run_compare(pipeline, {"--rules-config", rules.path(), "--sample-percent", "5"});
    INFO(done.out);
    CHECK(tables_of(done.out).find("public.t: 1 row differs; in the sample the source has ") == 0);
    CHECK(tables_of(done.out).find("  (id)=('12000'): missing on the target\n") != std::string::npos);
    pipeline.stop();
}
