// What columns with rules hold does not show in the definitions that come with DDL: not in lines, not on a target.
#include <doctest/doctest.h>

#include "tests/live/ddl_canary_fixture.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using namespace pgsluice::test::ddl_canary;
using pgsluice::rules_test::TextFile;

TEST_CASE("a canary in defaults, checks, comments, indexes, statistics, enum labels and domains") {
    const TextFile rules(rules_text);
    Pipeline pipeline;
    make_tables(pipeline);
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    for (const std::string& command : commands) {
        CAPTURE(command);
        pipeline.on_source(command);
        pipeline.settle();
        CHECK_FALSE(contains(pipeline.target_scalar(everything), "canary"));
    }
    check_shown(pipeline);

    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
    const Finished lines = run(pipeline.worker_argv(
        "stdout", {"--worker-name", "lines", "--rules-config", rules.path(), "--exit-at-lsn", end}));
    CHECK(lines.code == 0);
    CHECK_FALSE(contains(lines.out + lines.err, "canary"));
    CHECK(contains(lines.out, "DEFAULT 'shown'::text"));
    CHECK(contains(lines.out, "a comment"));
    CHECK(contains(lines.out, R"(\"plain\")"));
    CHECK(contains(lines.out, "huge"));
    CHECK_FALSE(contains(pipeline.worker().err(), "canary"));
    pipeline.stop();
}
