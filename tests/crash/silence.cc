// A connection that dies without a word, as behind a firewall that has forgotten it, is given up and replaced. Not a
// part of ctest, for it takes as long as the longest time-out, a minute; tests/crash/run --silence.
//
// Between worker and target it is TCP's keepalive that notices; a proxy, whose own end is well, cannot show that.
#include <doctest/doctest.h>

#include "tests/crash/links.h"

using namespace pgsluice::test;

TEST_CASE("a connection that is silent for good is replaced") {
    Links links(shared_servers());
    Pipeline pipeline;
    pipeline.go_through(links.ports());
    pipeline.on_both("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pad text)");
    pipeline.start();
    pipeline.settle();
    for (const Links::Named& link : links.all()) {
        if (link.name == "worker-target") continue;
        CAPTURE(link.name);
        link.proxy.abandon();
        pipeline.on_source("INSERT INTO t (pad) SELECT repeat('w', 1000) FROM generate_series(1, 200)");
        pipeline.settle(std::chrono::seconds(180));
        pipeline.check_equal({"t"});
    }
    pipeline.stop();
}
