// Connections to NATS that end within the greeting, as those of a server that is just dying do.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("replicator and worker that run keep trying when they are greeted by half") {
    TcpProxy proxy(shared_nats().port());
    Pipeline pipeline;
    pipeline.go_through({.replicator_to_nats = proxy.port(), .workers_to_nats = proxy.port()});
    const std::vector<std::string> patience = {"--retry-max-attempts", "1000", "--retry-initial-wait", "100ms",
                                               "--retry-max-wait",     "200ms"};
    pipeline.always(patience, patience);
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();

    proxy.break_off(true);
    proxy.cut();
    // The replicator connects anew; the worker's connection is the library's to mend.
    eventually("the replicator has had half a greeting", [&] {
        return contains(pipeline.replicator().err(), "unable to connect to NATS") || !pipeline.replicator().running();
    });
    pipeline.on_source("INSERT INTO t VALUES (1)");
    proxy.break_off(false);
    pipeline.check_equal({"t"});
    pipeline.stop();
}
