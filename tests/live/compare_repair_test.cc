// compare --repair: afterwards source and target are equal, whatever is written meanwhile.
#include <doctest/doctest.h>

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
