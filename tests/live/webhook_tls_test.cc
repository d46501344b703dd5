// The webhook sink over TLS: certificates are verified, an own authority may be named.
#include <doctest/doctest.h>

#include "sinks/webhook/sink.h"
#include "tests/support/process.h"
#include "tests/support/sink_feed.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

std::string certificate_for(const std::string& directory, const std::string& name) {
    const std::string path = directory + "/" + name;
    const Finished made = run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                               "-nodes", "-days", "2", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:" + name,
                               "-keyout", path + ".key", "-out", path + ".crt"});
    INFO(made.err);
    REQUIRE(made.code == 0);
    return path;
}

// Answers the first request 200, whatever it is, and prints it. The answer waits in a FIFO that has no other end.
Process receiver(int port, const std::string& certificate) {
    const std::string fifo = certificate + "." + std::to_string(port);
    return Process(ProcessOptions{
        .argv = {
            "bash", "-c",
            "mkfifo '" + fifo + "'; exec 0<>'" + fifo +
                "'; printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok' >&0; exec openssl s_server -quiet "
                "-accept 127.0.0.1:" +
                std::to_string(port) + " -key '" + certificate + ".key' -cert '" + certificate + ".crt'"}});
}

// Posts a row; what was thrown, with its hint, or nothing.
std::string post(int port, const std::string& ca_file) {
    WebhookSinkOptions options;
    options.url = "https://127.0.0.1:" + std::to_string(port) + "/hook";
    options.ca_file = ca_file;
    options.retry_first_ms = 10;
    options.retry_max_ms = 50;
    const auto sink = make_webhook_sink(options, quiet_log, {});
    const auto items = make_relation("public", "items", {"id integer*"});
    SinkFeed feed;
    const Batch& batch = feed.insert(items, {text("1")}).complete();
    try {
        sink->apply(batch);
        sink->flush();
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        return std::string(error.what()) + " HINT: " + error.hint();
    }
    CHECK(sink->durable() == batch.upto);
    return {};
}

}  // namespace

TEST_CASE("a certificate signed by the authority that was named is taken, others stop the worker") {
    const std::string directory = temporary_directory("webhook_tls");
    const std::string ours = certificate_for(directory, "127.0.0.1");
    const std::string other_name = certificate_for(directory, "127.0.0.2");
    {
        const int port = free_port();
        Process server = receiver(port, ours);
        CHECK(post(port, ours + ".crt").empty());
        CHECK(eventually("the request has come",
                         [&] { return server.out().find("\"Table\":\"items\"") != std::string::npos; }));
    }
    {
        const int port = free_port();
        const Process server = receiver(port, ours);
        CHECK(post(port, "").find("--webhook-ca") != std::string::npos);
    }
    {
        const int port = free_port();
        const Process server = receiver(port, other_name);
        CHECK(post(port, other_name + ".crt").find("--webhook-ca") != std::string::npos);
    }
}
