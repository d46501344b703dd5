// A row that is being copied when the target ends the session must not show in the worker's log: PostgreSQL's CONTEXT
// quotes it, and where libpq finds that out while it writes, its text is all there is.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("the target ends a session in the middle of a COPY: the row it was at is not in the log") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, secret text)");
    // More than the sockets hold, so that the worker is writing.
    pipeline.on_source("INSERT INTO t SELECT i, 's3cret ' || i || repeat('x', 1000) FROM generate_series(1, 30000) i");
    pipeline.on_target(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.id = 7 THEN PERFORM pg_advisory_xact_lock(77); END IF; RETURN NEW; END'; "
        "CREATE TRIGGER hold BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION hold(); "
        "ALTER TABLE t ENABLE ALWAYS TRIGGER hold");
    pgsluice::sql::Connection other(shared_postgres().connect(pipeline.target_db()));
    other.exec("SELECT pg_advisory_lock(77)");
    pipeline.start();
    const std::string copying = "FROM pg_stat_activity WHERE datname = '" + pipeline.target_db() +
                                "' AND query LIKE 'COPY%' AND wait_event = 'advisory'";
    REQUIRE(eventually("the COPY waits", [&] { return pipeline.target_scalar("SELECT count(*) " + copying) == "1"; }));
    pipeline.target_scalar("SELECT pg_terminate_backend(pid, 10000) " + copying);
    REQUIRE(eventually("the worker has noticed", [&] { return contains(pipeline.worker().err(), "trying again"); }));
    other.exec("SELECT pg_advisory_unlock(77)");
    pipeline.check_equal({"t"});
    CAPTURE(pipeline.worker().err());
    CHECK_FALSE(contains(pipeline.worker().err(), "s3cret"));
    CHECK(contains(pipeline.worker().err(), "running again after"));
    pipeline.stop();
}
