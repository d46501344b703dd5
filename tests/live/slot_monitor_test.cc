// The slot is watched also while the replicator waits for a broker that is down: that is when WAL piles up.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("a slot that is about to be lost is warned of while NATS is down") {
    PostgresServer source({.settings = {{"max_slot_wal_keep_size", "64MB"}}});
    NatsServer nats;
    Pipeline pipeline({source, shared_postgres(), nats});
    pipeline.on_source("CREATE TABLE rows (id int)");
    pipeline.start_replicator();
    pipeline.await_stream();
    nats.kill();
    CHECK_FALSE(contains(pipeline.replicator().err(), "bytes of WAL"));
    for (int segment = 0; segment < 3; ++segment)
        pipeline.on_source("INSERT INTO rows VALUES (1); SELECT pg_switch_wal()");
    eventually("it warns", [&] {
        return contains(pipeline.replicator().err(), "slot 'pgsluice_" + pipeline.group() + "' keeps ") &&
               contains(pipeline.replicator().err(), " more bytes of WAL it will be lost");
    });
    CHECK(pipeline.replicator().running());
    nats.start();
    pipeline.stop_replicator();
}
