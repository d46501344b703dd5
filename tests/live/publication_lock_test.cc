// What the replicator changes on its publication waits for locks, and does not make those fail whom it waits for.
#include <doctest/doctest.h>

#include <future>
#include <string>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/pipeline.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Waits for whoever has a snapshot of `t`'s database, and holds a lock on it meanwhile. The server's message if it
// fails.
std::string build_index(const Pipeline& pipeline) {
    try {
        sql::Connection session(shared_servers().source.connect(pipeline.source_db()));
        session.exec("SET search_path = public");
        session.exec("CREATE INDEX CONCURRENTLY i ON t (v)");
        return "built";
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("an index that is built concurrently while tables join is built") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)");
    pipeline.start({"--copy-and-stream", "--tables", "settled,t"});
    pipeline.settle();
    pipeline.stop_replicator();
    sql::Connection writer(shared_servers().source.connect(pipeline.source_db()));
    writer.exec("BEGIN; INSERT INTO public.t VALUES (1, 1)");
    auto building = std::async(std::launch::async, [&] { return build_index(pipeline); });
    eventually("the build waits for the writer", [&] {
        return pipeline.source_scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE "
                   "INDEX%' AND wait_event_type = 'Lock'") == "1";
    });
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,t,u"});
    CHECK(says(pipeline.replicator(), "waits for "));
    // A session looks for a deadlock once, when it has waited for a second: then the build is the one that finds it.
    const auto since = pipeline.source_scalar("SELECT clock_timestamp()");
    eventually("the replicator has waited for longer", [&] {
        return pipeline.source_scalar("SELECT clock_timestamp() - interval '1.5 s' > '" + since + "'") == "t";
    });
    writer.exec("COMMIT");
    CHECK(building.get() == "built");
    pipeline.on_source("INSERT INTO u VALUES (1)");
    eventually("the table has joined", [&] { return pipeline.target_scalar("SELECT count(*) FROM u") == "1"; });
    pipeline.check_equal({"t", "u"});
    CHECK(says(pipeline.replicator(), "no longer waits"));
    pipeline.stop();
}
