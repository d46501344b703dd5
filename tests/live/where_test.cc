// A target with some of the source's rows, by an expression.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/hint.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("rows for which a condition is true are copied, followed as they move across it, and compare equal") {
    Pipeline pipeline;
    const std::string file = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(file)
        << "orders: {columns: {only: [id, amount]}, where: \"amount > 10 and region in ('eu', 'us')\"}\n";
    pipeline.on_source(
        "CREATE TABLE orders (id int PRIMARY KEY, amount numeric(8,2), region text);"
        "INSERT INTO orders SELECT i, i % 21, (ARRAY['eu', 'us', 'ap', NULL])[1 + i % 4] FROM generate_series(1, 1000) "
        "i");
    pipeline.start_replicator();
    pipeline.start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", pipeline.source_url()});
    const auto check_same = [&] {
        pipeline.settle();
        CHECK(pipeline.target_sum("orders") ==
              pipeline.source_sum("(SELECT id, amount FROM orders WHERE amount > 10 AND region IN ('eu', 'us'))"));
        const Finished compared = run_compare(pipeline, {"--routing-config", file});
        CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    };
    check_same();
    const auto write = [&](int moved_by) {
        pipeline.on_source("UPDATE orders SET amount = 20 - amount WHERE id % 3 = 0");
        pipeline.on_source("UPDATE orders SET region = 'ap' WHERE id % 7 = 0; DELETE FROM orders WHERE id % 11 = 0");
        pipeline.on_source("UPDATE orders SET region = 'us' WHERE id % 14 = 0");
        pipeline.on_source(
            "INSERT INTO orders SELECT i, i % 21, 'eu' FROM generate_series(1001, 1100) i ON CONFLICT DO NOTHING");
        pipeline.on_source(fmt::format(
            "UPDATE orders SET id = id + {}, amount = amount + 1 WHERE id % 13 = 0 AND id < 2000", moved_by));
        check_same();
    };
    write(10'000);
    pipeline.on_source("ALTER TABLE orders REPLICA IDENTITY FULL");
    write(20'000);
    pipeline.stop();
}

TEST_CASE("captured DDL: another type or another column under the condition waits, and its rows are copied again") {
    Pipeline pipeline;
    const std::string file = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(file) << "typed: {where: \"n = 1.23\"}\nmade: {columns: {only: [id]}, where: \"n < 10\"}\n";
    pipeline.on_source(
        "CREATE TABLE typed (id int PRIMARY KEY, n numeric); CREATE TABLE made (id int PRIMARY KEY, n int);"
        "INSERT INTO typed VALUES (1, 1.23), (2, 1.2345), (3, 5); INSERT INTO made VALUES (1, 1), (2, 20)");
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", pipeline.source_url()});
    pipeline.settle();
    const auto follow_hint = [&](const std::string& table) {
        run_said(pipeline, said(pipeline.worker().err(), "pgsluice ddl skip", "`"));
        pipeline.settle();
        CHECK(pipeline.target_scalar("SELECT count(*) FROM " + table) == "1");
        run_said(pipeline, said(pipeline.worker().err(), "pgsluice resnapshot --tables", "`") + ' ' + table);
        CHECK(eventually("the rows are copied again",
                         [&] { return pipeline.target_scalar("SELECT count(*) FROM " + table) == "2"; }));
        pipeline.settle();
    };
    pipeline.on_source("ALTER TABLE typed ALTER n TYPE numeric(10,2)");
    REQUIRE(says(pipeline.worker(), "the type of column 'n' changes, and the route's 'where' reads it"));
    pipeline.on_target("ALTER TABLE typed ALTER n TYPE numeric(10,2)");
    follow_hint("typed");
    // The target has no such column.
    pipeline.on_source("ALTER TABLE made DROP n, ADD n int DEFAULT 5");
    REQUIRE(says(pipeline.worker(), "another column is named 'n' now, and the route's 'where' reads it"));
    follow_hint("made");
    pipeline.on_source("UPDATE typed SET n = 2 WHERE id = 1; UPDATE made SET n = 50 WHERE id = 1");
    pipeline.settle();
    const Finished compared = run_compare(pipeline, {"--routing-config", file});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    pipeline.stop();
}
