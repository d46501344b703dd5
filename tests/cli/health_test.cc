// `pgsluice health`, as a container's health check runs it.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/hint.h"
#include "tests/support/http_get.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// It waits for a NATS server that is not there.
std::vector<std::string> waiting_worker(const std::string& address) {
    return {PGSLUICE_BINARY,        "worker",  "stdout",        "--group", "shop", "--nats-url", "nats://127.0.0.1:1",
            "--retry-max-attempts", "1000000", "--http-listen", address};
}

Finished health(std::vector<std::string> more, std::map<std::string, std::string> environment = {}) {
    more.insert(more.begin(), {PGSLUICE_BINARY, "health"});
    environment.emplace("HOME", "/nonexistent");
    return run(std::move(more), std::move(environment));
}

std::string address_of(Process& process) {
    const std::string url = served_at(process);
    return url.substr(url.rfind('/') + 1);
}

}  // namespace

TEST_CASE("a process that answers is healthy, whether it is ready is asked for") {
    Process worker({waiting_worker("127.0.0.1:0")});
    const std::string address = address_of(worker);
    const Finished alive = health({"--http-listen", address});
    CHECK(alive.code == 0);
    CHECK(alive.out == "alive\n");
    CHECK(alive.err == "");
    const Finished ready = health({"--http-listen", address, "--ready"});
    CHECK(ready.code == 1);
    CHECK(contains(ready.out, "not ready: "));
}

TEST_CASE("the address comes from where the process has it: the environment, a file, all addresses") {
    const std::string port = std::to_string(free_port());
    Process worker({waiting_worker(":" + port)});
    served_at(worker);
    CHECK(health({}, {{"PGSLUICE_HTTP_LISTEN", ":" + port}}).code == 0);
    const std::string file = temporary_directory("health") + "/shop.yaml";
    std::ofstream(file) << "group: shop\nhttp-listen: 0.0.0.0:" << port << "\npassword: ${NOT_SET}\n";
    CHECK(health({"--config", file}).code == 0);
}

TEST_CASE("a process that does not run, or does not answer, is not healthy") {
    Process worker({waiting_worker("127.0.0.1:0")});
    const std::string address = address_of(worker);
    worker.signal(SIGSTOP);
    const Finished silent = health({"--http-listen", address});
    CHECK(silent.code == 1);
    CHECK(contains(silent.err, "unable to ask 'http://" + address + "/healthz': nothing answers there\n"));
    worker.signal(SIGKILL);
    worker.wait();
    const Finished dead = health({"--http-listen", address});
    CHECK(dead.code == 1);
    CHECK(dead.err == silent.err);
}

TEST_CASE("an address that nothing listens at is followed by what to do, and that works") {
    Process worker({waiting_worker("127.0.0.1:0")});
    const std::string hint =
        refusal({PGSLUICE_BINARY, "health", "--http-listen", "127.0.0.1:" + std::to_string(free_port())},
                "Give this command the same --http-listen");
    CHECK(health({said(hint, "--http-listen", ","), address_of(worker)}).code == 0);
}

TEST_CASE("without an address, and with a port that is any, it is a wrong command line") {
    const Finished none = health({});
    CHECK(none.code == 2);
    CHECK(contains(none.err, "--http-listen is required"));
    const Finished any = health({"--http-listen", "127.0.0.1:0"});
    CHECK(any.code == 2);
    CHECK(contains(any.err, "port 0 of --http-listen is any free port, so it cannot be asked"));
    CHECK(contains(any.err, "HINT: Give the port that the process's log names.\n"));
    Process worker({waiting_worker("127.0.0.1:0")});
    CHECK(health({"--http-listen", address_of(worker)}).code == 0);
}
