// compare while others write: at one LSN, exactly.
#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "sql/connection.h"
#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Writes on the source, a transaction after the other, as fast as it goes.
class Writer {
   public:
    explicit Writer(const Pipeline& pipeline)
        : thread_([options = shared_servers().source.connect(pipeline.source_db())](const std::stop_token& stop) {
              sql::Connection connection(options);
              for (int i = 0; !stop.stop_requested(); ++i)
                  connection.exec("UPDATE public.t SET n = n + 1 WHERE id = 1 + " + std::to_string(i) +
                                  " * 37 % 3000; INSERT INTO public.log VALUES (DEFAULT, " + std::to_string(i) +
                                  "); DELETE FROM public.log WHERE id < " + std::to_string(i - 100));
          }) {}

   private:
    std::jthread thread_;
};

}  // namespace

TEST_CASE("compare finds exactly the rows changed by hand while others write") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0, pad text DEFAULT repeat('x', 90));"
        "CREATE TABLE log (id bigserial PRIMARY KEY, n int)");
    pipeline.on_source("INSERT INTO t SELECT i FROM generate_series(1, 6000) i");
    pipeline.start();
    pipeline.settle();
    const Writer writer(pipeline);
    for (int round = 0; round < 3; ++round) {
        const Finished done = run_compare(pipeline);
        INFO(done.err);
        CHECK(done.code == 0);
        CHECK(done.out.find("public.t: equal, 6000 rows\n") != std::string::npos);
        CHECK(done.out.find("public.log: equal") != std::string::npos);
    }
    // Rows that are not written to by the writer: those it writes to would be mended or wrong in another way.
    pipeline.on_target(
        "UPDATE t SET n = 5 WHERE id = 4444; DELETE FROM t WHERE id = 5555;"
        "INSERT INTO t VALUES (7777)");
    const Finished done = run_compare(pipeline);
    CHECK(done.code == 1);
    CHECK(done.out.find("public.t: 3 rows differ; the source has 6000 rows, the target 6000 rows\n"
                        "  (id)=('4444'): differs in n\n"
                        "  (id)=('5555'): missing on the target\n"
                        "  (id)=('7777'): on the target only\n") != std::string::npos);
    CHECK(done.out.find("public.log: equal") != std::string::npos);
    pipeline.settle();
    pipeline.stop();
}

TEST_CASE("a worker that is killed while it waits for compare only makes it take longer") {
    for (const char* failpoint : {"compare-held", "compare-reached"}) {
        CAPTURE(failpoint);
        Pipeline pipeline;
        pipeline.on_both(
            "CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0); CREATE TABLE log (id bigserial PRIMARY "
            "KEY, n int)");
        pipeline.on_source("INSERT INTO t SELECT i FROM generate_series(1, 3000) i");
        pipeline.start_replicator();
        pipeline.start_worker({}, {{"PGSLUICE_FAILPOINT", failpoint}});
        pipeline.settle();
        const Writer writer(pipeline);
        pipeline.on_target("INSERT INTO t VALUES (9999)");
        Process compare({.argv = compare_argv(pipeline)});
        CHECK(pipeline.worker().wait(std::chrono::seconds(60)) == 128 + SIGKILL);
        pipeline.start_worker();
        CHECK(compare.wait(std::chrono::seconds(90)) == 1);
        INFO(compare.err());
        CHECK(compare.out().find("public.t: 1 row differs; the source has 3000 rows, the target 3001 rows\n"
                                 "  (id)=('9999'): on the target only\n") != std::string::npos);
        CHECK(compare.out().find("public.log: equal") != std::string::npos);
        pipeline.settle();
        pipeline.stop();
    }
}

TEST_CASE("compare waits for open transactions without holding the worker") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();
    sql::Connection open(shared_servers().source.connect(pipeline.source_db()));
    open.exec("BEGIN; INSERT INTO public.t VALUES (1)");  // no slot can be created
    Process compare({.argv = compare_argv(pipeline)});
    eventually("compare waits for the transaction",
               [&] { return compare.err().find("waiting for open transactions of the source") != std::string::npos; });
    pipeline.settle();
    Process interrupted({.argv = compare_argv(pipeline)});
    eventually("the other waits, too", [&] {
        return interrupted.err().find("waiting for open transactions of the source") != std::string::npos;
    });
    interrupted.signal(SIGTERM);
    CHECK(interrupted.wait() == 1);  // not as if all was equal
    open.exec("COMMIT");
    CHECK(compare.wait(std::chrono::seconds(60)) == 0);
    CHECK(compare.out().find("public.t: equal, 1 row\n") != std::string::npos);
    pipeline.stop();
}

TEST_CASE("compare waits for a worker that tries again, and not for one that was stopped") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();
    pipeline.on_target(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'in the way' USING ERRCODE = "
        "'deadlock_detected'; END$$; CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse();"
        "ALTER TABLE t ENABLE ALWAYS TRIGGER refuse");
    pipeline.on_source("INSERT INTO t VALUES (1)");
    eventually("the worker tries again",
               [&] { return pipeline.worker().err().find("trying again") != std::string::npos; });
    // It is between two sessions most of the time, and for longer each time: one of these meets it there.
    std::optional<Process> compare;
    eventually("compare waits for the worker", [&] {
        const auto met = [&] { return contains(compare->err(), "waiting for worker 'postgres', which tries again: "); };
        compare.emplace(ProcessOptions{.argv = compare_argv(pipeline)});
        for (int i = 0; i < 30 && !met() && compare->running(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return met();
    });
    INFO(compare->err());
    pipeline.on_target("DROP TRIGGER refuse ON t");
    CHECK(compare->wait(std::chrono::seconds(60)) == 0);
    CHECK(compare->out().find("public.t: equal, 1 row\n") != std::string::npos);

    pipeline.stop_worker();
    const Finished stopped = run_compare(pipeline);
    CHECK(stopped.code == 1);
    CHECK(contains(stopped.err, "worker 'postgres' is not running"));
    pipeline.stop();
}
