// pgsluice serve: the page for all groups, from NATS alone.
#include <doctest/doctest.h>
#include <simdjson.h>

#include "tests/support/browser.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

Process serve(const NatsServer& nats) {
    return Process({{PGSLUICE_BINARY, "serve", "--nats-url", nats.url(), "--http-listen", "127.0.0.1:0"}});
}

std::string has(const std::string& id, const std::string& text) {
    return "document.getElementById('" + id + "').textContent.includes('" + text + "')";
}

}  // namespace

TEST_CASE("serve shows every group of a NATS system, and each by itself, as status does") {
    NatsServer nats;
    const PipelineServers servers{shared_postgres(), shared_postgres(), nats};
    Pipeline first(servers);
    Pipeline second(servers);
    for (Pipeline* pipeline : {&first, &second}) {
        pipeline->on_both("CREATE TABLE items (id int PRIMARY KEY)");
        pipeline->start();
        pipeline->settle();
    }
    Process served = serve(nats);
    const std::string url = served_at(served);
    Browser browser;
    browser.open(url + "/?group=" + second.group());
    browser.await(has("groups", first.group()) + " && " + has("groups", second.group()));
    browser.await(has("group", second.group()) + " && " + has("flow", "pgsluice_" + second.group()));
    CHECK(browser.value("document.getElementById('process').textContent").starts_with("serve · pgsluice "));
    browser.value("[...document.querySelectorAll('#groups a')].find((a) => a.textContent === '" + first.group() +
                  "').click()");
    browser.await(has("flow", "pgsluice_" + first.group()) + " && " + has("workers", "postgres"));
    for (const std::string& complaint : browser.complaints()) CHECK_MESSAGE(false, complaint);

    served.signal(SIGHUP);
    CHECK(says(served, "SIGHUP: log level info"));

    simdjson::dom::parser parser;
    const std::string text = http_get(url, "/status?group=" + first.group()).body;
    const simdjson::dom::element status = parser.parse(text);
    CHECK(std::string_view(status["group"]) == first.group());
    CHECK(std::string_view(status["workers"].at(0)["name"]) == "postgres");
    const std::string all = http_get(url, "/status").body;
    CHECK(all.starts_with("[{"));
    CHECK(count(all, "{\"group\":\"") == 2);
    CHECK(http_get(url, "/status?group=nothing").status == 404);
    CHECK(http_get(url, "/readyz").status == 200);

    second.stop_worker();
    browser.open(url + "/?group=" + second.group());
    browser.await(has("workers", "stopped"));
    second.start_worker();
    first.stop();
    second.settle();
    second.stop();
    served.signal(SIGTERM);
    CHECK(served.wait() == 0);
}

TEST_CASE("serve waits for NATS, says that it does, and has no group to show at first") {
    NatsServer nats;
    nats.kill();
    Process served = serve(nats);
    const std::string url = served_at(served);
    CHECK(http_get(url, "/healthz").status == 200);
    CHECK(http_get(url, "/readyz").body == "not ready: NATS does not answer\n");
    CHECK(http_get(url, "/status").status == 404);
    Browser browser;
    browser.open(url);
    browser.await(has("trouble", "NATS does not say how the group is"));
    nats.start();
    browser.await(has("trouble", "No group has a stream on this NATS server."));
    eventually("it is ready", [&] { return http_get(url, "/readyz").status == 200; });
    CHECK(http_get(url, "/status").body == "[]\n");
    CHECK(says(served, "NATS answers again"));
    served.signal(SIGTERM);
    CHECK(served.wait() == 0);
}

TEST_CASE("serve without an address is a wrong command line, and it takes no group") {
    const Finished none = run({PGSLUICE_BINARY, "serve"});
    CHECK(none.code == 2);
    CHECK(contains(none.err, "--http-listen is required"));
    const Finished group = run({PGSLUICE_BINARY, "serve", "--http-listen", "127.0.0.1:0", "--group", "shop"});
    CHECK(group.code == 2);
    CHECK(contains(group.err, "--group is not a flag of 'serve'"));
}
