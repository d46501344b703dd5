// Each connection is cut and goes silent once, in each way; nothing is lost.
#include "tests/crash/links.h"

#include <doctest/doctest.h>

using namespace pgsluice::test;

namespace {

struct Linked : Pipeline {
    Linked() : Pipeline(shared_servers()), links(shared_servers()) {
        go_through(links.ports());
        const std::vector<std::string> patience = {"--retry-initial-wait", "100ms", "--retry-max-wait", "500ms"};
        always(patience, patience);
        on_both("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pad text)");
        start();
        settle();
    }
    void write() { on_source("INSERT INTO t (pad) SELECT repeat('w', 1000) FROM generate_series(1, 200)"); }

    Links links;
};

}  // namespace

TEST_CASE("each connection is cut, cut without the server noticing, and silent for a while in each direction") {
    Linked pipeline;
    for (const Links::Named& link : pipeline.links.all()) {
        TcpProxy& proxy = link.proxy;
        CAPTURE(link.name);
        REQUIRE(proxy.connections() > 0);
        pipeline.write();
        proxy.cut();
        pipeline.write();
        pipeline.check_equal({"t"});

        proxy.cut_clients();
        pipeline.write();
        eventually("it connects again", [&] { return proxy.connections() > 0; });
        proxy.cut();  // now the server hears of it, too
        pipeline.check_equal({"t"});

        for (const bool to_server : {true, false}) {
            proxy.hold(to_server, !to_server);
            pipeline.write();
            const auto carried = proxy.carried();
            if (to_server)
                CHECK(proxy.connections() > 0);
            else
                eventually("the other direction lives", [&] { return proxy.carried() >= carried; });
            proxy.cut();
            proxy.hold(false, false);
            pipeline.check_equal({"t"});
        }
    }
    pipeline.stop();
}
