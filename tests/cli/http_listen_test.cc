// --http-listen: what cannot be listened on is an error at start.
#include <doctest/doctest.h>

#include "tests/support/hint.h"
#include "tests/support/http_get.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// Its NATS server is not there, so it waits for it.
std::vector<std::string> waiting_worker(const std::string& address) {
    return {PGSLUICE_BINARY,        "worker",  "stdout",        "--group", "shop", "--nats-url", "nats://127.0.0.1:1",
            "--retry-max-attempts", "1000000", "--http-listen", address};
}

}  // namespace

TEST_CASE("a busy address is an error that names it, and another one works") {
    Process first({waiting_worker("127.0.0.1:0")});
    const std::string url = served_at(first);
    const std::string address = url.substr(url.rfind('/') + 1);
    const Finished second = run(waiting_worker(address));
    CHECK(second.code == 1);
    CHECK(contains(second.err, "unable to listen on '" + address + "': Address already in use\n"));
    CHECK(contains(second.err, "HINT: Give another address or port with --http-listen."));
    Process other({waiting_worker("127.0.0.1:" + std::to_string(free_port()))});
    CHECK(http_get(served_at(other), "/healthz").body == "alive\n");
    for (Process* process : {&first, &other}) {
        process->signal(SIGTERM);
        CHECK(process->wait() == 0);
    }
}

TEST_CASE("an address of another machine, and what is no address, are errors") {
    const Finished foreign = run(waiting_worker("192.0.2.1:9187"));
    CHECK(foreign.code == 1);
    CHECK(contains(foreign.err, "unable to listen on '192.0.2.1:9187': Cannot assign requested address"));
    const Finished none = run(waiting_worker("localhost"));
    CHECK(none.code == 2);
    CHECK(contains(none.err, "expected an address and a port such as 127.0.0.1:9187"));
}

TEST_CASE("health and readiness are told before the first session, and unknown paths are not found") {
    Process worker({waiting_worker("127.0.0.1:0")});
    const std::string url = served_at(worker);
    CHECK(http_get(url, "/healthz").status == 200);
    eventually("it says why it is not ready", [&] {
        const GetReply reply = http_get(url, "/readyz");
        return reply.status == 503 &&
               contains(reply.body, "not ready: waiting to start again after: unable to connect");
    });
    CHECK(http_get(url, "/nothing").status == 404);
    CHECK(Scrape(url).value("pgsluice_running") == 0);
}
