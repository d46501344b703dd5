// compare --repair: afterwards source and target are equal, whatever is written meanwhile.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "sql/connection.h"
#include "tests/live/compare_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("compare --repair makes the rows equal while others write to them") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, n int, v text)");
    pipeline.on_source("INSERT INTO t SELECT i, 0, 'v' || i FROM generate_series(1, 4000) i");
    pipeline.start();
    pipeline.settle();
    pipeline.on_target(
        "UPDATE public.t SET v = 'bad' WHERE id <= 1200; DELETE FROM t WHERE id BETWEEN 2000 AND 2300;"
        "INSERT INTO t SELECT i, 0, 'extra' FROM generate_series(5001, 5200) i");
    {
        const std::jthread writer([&pipeline](const std::stop_token& stop) {
            sql::Connection connection(shared_servers().source.connect(pipeline.source_db()));
            for (int i = 0; !stop.stop_requested(); ++i) {
                const std::string id = std::to_string(1 + i * 31 % 1500);
                connection.exec("UPDATE public.t SET n = n + 1 WHERE id = " + id);
                if (i % 10 == 0) connection.exec("DELETE FROM public.t WHERE id = " + id);
                if (i % 20 == 0) connection.exec("INSERT INTO public.t VALUES (" + id + ", 5, 'again')");
            }
        });
        const Finished done = run_compare(pipeline, {"--repair"});
        INFO(done.err);
        CHECK(done.code == 0);
        CHECK(done.out.find("rows repaired\n") != std::string::npos);
    }
    const Finished done = run_compare(pipeline);
    INFO(done.out);
    CHECK(done.code == 0);
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("compare --repair counts rows that have no key") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (a int, b text); ALTER TABLE t REPLICA IDENTITY FULL");
    pipeline.on_source("INSERT INTO t SELECT i % 10, nullif(i % 3, 0) FROM generate_series(1, 300) i");
    pipeline.start();
    pipeline.settle();
    pipeline.on_target(
        "INSERT INTO t VALUES (1, NULL), (1, NULL), (77, ''); UPDATE t SET b = '' WHERE a = 3 AND b IS NULL;"
        "DELETE FROM public.t WHERE a = 5");
    Finished done = run_compare(pipeline, {"--repair"});
    INFO(done.err);
    INFO(done.out);
    CHECK(done.code == 0);
    done = run_compare(pipeline);
    INFO(done.out);
    CHECK(done.code == 0);
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("compare --repair finds rows of tables that added columns tell apart") {
    Pipeline pipeline;
    for (const std::string schema : {"app_1", "app_2"})
        pipeline.on_source(
            fmt::format("CREATE SCHEMA {0}; CREATE TABLE {0}.t (id int PRIMARY KEY, v text); INSERT INTO "
                        "{0}.t SELECT i, '{0}' FROM generate_series(1, 100) i",
                        schema));
    pipeline.on_source("DELETE FROM app_1.t WHERE id = 50");
    const std::string file = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(file) << "tables:\n  \"app_*.t\": {to: w.t, columns: {app: \"{schema}\", live: 7}}\n";
    pipeline.start_replicator({"--copy-and-stream", "--schemas", "public,app_1,app_2"});
    pipeline.start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", pipeline.source_url()});
    pipeline.settle();
    pipeline.on_target(
        "DELETE FROM w.t WHERE id = 2; DELETE FROM w.t WHERE app = 'app_2' AND id = 3; UPDATE w.t SET v = 'bad' WHERE "
        "id = 4; INSERT INTO w.t VALUES ('app_1', 7, 50, 'extra'), ('app_2', 7, 101, 'extra'), ('other', 7, "
        "2, 'of another')");
    const Finished repaired = run_compare(pipeline, {"--routing-config", file, "--repair"});
    CHECK_MESSAGE(repaired.code == 0, repaired.out << repaired.err);
    const Finished compared = run_compare(pipeline, {"--routing-config", file});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    CHECK(pipeline.target_rows("(SELECT app, id, v FROM w.t WHERE live = 7)") ==
          pipeline.source_rows("(SELECT 'app_1' AS app, id, v FROM app_1.t UNION ALL SELECT 'app_2', id, v FROM "
                               "app_2.t UNION ALL SELECT 'other', 2, 'of another')"));
    pipeline.stop();
}
