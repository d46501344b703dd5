// pgsluice check: what is said of columns whose values the target stores otherwise, or never gets, is what happens.
#include <doctest/doctest.h>

#include "tests/live/check_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

CheckReport check(const Pipeline& pipeline) {
    const auto& server = shared_postgres();
    return CheckReport({PGSLUICE_BINARY, "check", "--group", pipeline.group(), "--source-url",
                        server.url(pipeline.source_db()), "--target-url", server.url(pipeline.target_db()),
                        "--nats-url", shared_nats().url(), "--copy-and-stream"});
}

std::string after_run(const std::string& line) {
    const std::string found = said(line, "ALTER T");
    return found.substr(0, found.rfind('.'));
}

}  // namespace

TEST_CASE("check: columns whose type changes values without an error, and what the target then holds") {
    if (hardened_by_environment()) return;
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(20,6), z timestamptz, d timestamp, f float8, j json, same "
        "numeric(20,6))");
    pipeline.on_target(
        "CREATE DOMAIN cents AS numeric(10,2); CREATE TABLE t (id int PRIMARY KEY, n cents, z timestamp, d date, f "
        "real, j jsonb, same numeric)");
    const CheckReport report = check(pipeline);
    INFO(report.text());
    const auto warned = [&](const std::string& column, const std::string& of) {
        CHECK(
            contains(report.line("warn target: ", "column '" + column + "' of the target's table 'public.t' is"), of));
    };
    warned("n", "and on the source numeric(20,6): values are rounded to its scale without an error, and a value that");
    warned("z", "values are stored as what clocks show in UTC, without a zone and without an error. On");
    warned("d", "values lose their time of day without an error. On");
    warned("f", "values are rounded to its precision without an error");
    warned("j", "values lose blanks, the order of keys");
    CHECK_FALSE(contains(report.text(), "column 'same'"));

    pipeline.on_source(
        "INSERT INTO t VALUES (1, 1.123456, '2024-01-01 12:00+05', '2024-01-01 12:00', 0.12345678901, '{\"b\": 1, "
        "\"a\":2}', 1.123456)");
    pipeline.start_replicator();
    pipeline.start_worker();
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT t::text FROM t") ==
          "(1,1.12,\"2024-01-01 07:00:00\",2024-01-01,0.12345679,\"{\"\"a\"\": 2, \"\"b\"\": 1}\",1.123456)");
    pipeline.stop();
}

TEST_CASE("check: columns that one end generates, and labels that the target's enum lacks") {
    if (hardened_by_environment()) return;
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'glad'); CREATE TABLE t (id int PRIMARY KEY, w int GENERATED "
        "ALWAYS AS (id * 2) STORED, own int, twin int GENERATED ALWAYS AS (id + 1) STORED, m mood, ms mood[])");
    pipeline.on_target(
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (id int PRIMARY KEY, w int, own int GENERATED ALWAYS AS (1) "
        "STORED, twin int GENERATED ALWAYS AS (id + 1) STORED, m mood, ms mood[])");
    const CheckReport report = check(pipeline);
    INFO(report.text());
    const std::string w = report.line("warn target: ", "column 'w' of the target's table 'public.t' is generated on");
    const std::string own = report.line("warn target: ", "column 'own' of the target's table 'public.t' is generated,");
    const std::string m =
        report.line("warn target: ", "which lacks labels that the source's public.mood has ('it''s ok', 'gl");
    report.line("warn target: ", "column 'ms' of the target's table 'public.t' is public.mood[], which lacks labels");
    CHECK_FALSE(contains(report.text(), "column 'twin'"));

    pipeline.on_target(said(w, "ALTER TABLE", "; or let"));
    pipeline.on_target(said(own, "ALTER TABLE", " on the target, before"));
    pipeline.on_target(after_run(m));
    const CheckReport after = check(pipeline);
    INFO(after.text());
    CHECK_FALSE(after.has("warn target"));
    pipeline.on_source("INSERT INTO t (id, own, m, ms) VALUES (1, 77, 'it''s ok', '{glad}')");
    pipeline.start_replicator();
    pipeline.start_worker();
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT concat_ws('|', id, w, own, twin, m, ms) FROM t") == "1|2|77|2|it's ok|{glad}");
    pipeline.stop();
}
