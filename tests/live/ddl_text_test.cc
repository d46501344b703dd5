// --ddl-capture text, and streams of builds that knew nothing else: a command's text is run on the target if it is that
// command alone.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

const Texts text_of_tables = {"--copy-and-stream", "--track-ddl", "--ddl-capture", "text"};

}  // namespace

TEST_CASE("commands as text: run in order, and shown in lines without literals where the table has rules") {
    const TextFile rules("tables: {t: [{type: transform, column: v, parameters: {type: mask}}]}");
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    pipeline.start(text_of_tables);
    pipeline.settle();
    pipeline.on_source("ALTER TABLE t ADD COLUMN w text DEFAULT 'canary'");
    pipeline.on_source("INSERT INTO t VALUES (2, 'b', 'x')");
    pipeline.on_source("COMMENT ON COLUMN t.v IS 'what it is worth'");
    pipeline.check_equal({"t"});
    CHECK(pipeline.target_scalar("SELECT col_description('t'::regclass, 2)") == "what it is worth");
    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
    const Finished plain = run(pipeline.worker_argv("stdout", {"--worker-name", "plain", "--exit-at-lsn", end}));
    CHECK(
        contains(plain.out,
                 R"("Command":"ALTER TABLE","NewTuple":{"event_type":"ddl_command_end","object_type":"table",)"
                 R"("object_identity":"public.t","ddl_command":"ALTER TABLE t ADD COLUMN w text DEFAULT 'canary'",)"));
    const Finished masked = run(pipeline.worker_argv(
        "stdout", {"--worker-name", "ruled", "--rules-config", rules.path(), "--exit-at-lsn", end}));
    CHECK(contains(masked.out, R"("ddl_command":"ALTER TABLE t ADD COLUMN w text DEFAULT ?")"));
    CHECK_FALSE(contains(masked.out, "canary"));
    pipeline.stop();
}

TEST_CASE("a text that the target must not run stops the worker, which can be told to ignore it") {
    const TextFile rules("tables: {t: [{type: exclude_column, column: old}]}");
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, v text, old int)");
    pipeline.on_target("CREATE TABLE t (id int PRIMARY KEY, v text)");
    pipeline.start_replicator(text_of_tables);
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    pipeline.on_source("INSERT INTO t VALUES (1, 'a', 1)");
    pipeline.on_source("ALTER TABLE t ADD COLUMN w int");
    pipeline.on_source("INSERT INTO t VALUES (2, 'b', 2, 3)");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "unable to apply ALTER TABLE on 'public.t' at "));
    CHECK(contains(pipeline.worker().err(), "columns of the table are excluded"));
    CHECK(contains(pipeline.worker().err(), "--target-ddl ignore"));
    CHECK(pipeline.target_scalar("SELECT count(*) FROM t WHERE id = 2") == "0");
    pipeline.on_target("ALTER TABLE t ADD COLUMN w int");
    pipeline.start_worker({"--rules-config", rules.path(), "--target-ddl", "ignore"});
    pipeline.settle();
    CHECK(pipeline.target_rows("t") == Texts{"(1,a,)", "(2,b,3)"});
    CHECK(contains(pipeline.worker().err(), "not applied (--target-ddl ignore): ALTER TABLE on 'public.t' at "));
    pipeline.stop();
}
