// Runs the examples of sinks/README.md as they stand there.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/http_receiver.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/read_file.h"
#include "tests/support/user_stream.h"

using namespace pgsluice::test;

namespace {

struct Example {
    std::string commands;
    std::string output;  // empty: none is shown
};

// The fenced block of this language that begins at or behind `at`; `at` is then behind it.
std::string block(const std::string& text, const std::string& language, std::size_t& at) {
    const std::string fence = "```" + language + "\n";
    const std::size_t begin = text.find(fence, at);
    REQUIRE(begin != std::string::npos);
    const std::size_t end = text.find("```", begin + fence.size());
    at = end + 3;
    return text.substr(begin + fence.size(), end - begin - fence.size());
}

Example example_of(const std::string& readme, const std::string& sink) {
    std::size_t at = readme.find("\n## " + sink + "\n");
    REQUIRE(at != std::string::npos);
    Example example{block(readme, "sh", at), {}};
    if (readme.compare(at, 9, "\n\n```text") == 0) example.output = block(readme, "text", at);
    return example;
}

}  // namespace

TEST_CASE("the examples of sinks/README.md") {
    const std::string readme = read_file(PGSLUICE_SOURCE_DIR "/sinks/README.md");
    std::size_t at = 0;
    const std::string data = block(readme, "sql", at);

    PostgresServer& postgres = shared_postgres();
    NatsServer nats;
    const std::string source = postgres.create_database();
    const std::string target = postgres.create_database();
    postgres.sql(source, data);
    postgres.sql(target, data.substr(0, data.find("INSERT")));
    const UserStream stream(nats.url(), "CDC", "cdc.>");
    HttpReceiver receiver([](const HttpRequest&) { return HttpReply{}; });

    const std::string path = std::filesystem::path(PGSLUICE_BINARY).parent_path().string() + ":" + std::getenv("PATH");
    const std::map<std::string, std::string> environment = {
        {"PATH", path}, {"PGSLUICE_NATS_URL", nats.url()}, {"HOOK", receiver.url()}, {"TARGET", postgres.url(target)}};
    const Finished copied =
        run({PGSLUICE_BINARY, "replicator", "--copy", "--group", "shop", "--source-url", postgres.url(source)},
            environment);
    INFO(copied.err);
    REQUIRE(copied.code == 0);

    const std::string directory = temporary_directory("sink_examples");
    for (const char* sink : {"stdout", "file", "webhook", "nats", "postgres"}) {
        CAPTURE(sink);
        const Example example = example_of(readme, sink);
        const Finished finished =
            run({"bash", "-euo", "pipefail", "-c", "cd '" + directory + "'\n" + example.commands}, environment);
        INFO(finished.err);
        CHECK(finished.code == 0);
        CHECK(finished.out == example.output);
    }
    REQUIRE(receiver.requests().size() == 1);
    CHECK(receiver.requests()[0].body.find("Zoë") != std::string::npos);
    const auto messages = stream.read();
    REQUIRE(messages.size() == 2);
    CHECK(messages[1].subject == "cdc.public.customers.insert");
    CHECK(postgres.scalar(target, "SELECT string_agg(name, ',' ORDER BY id) FROM customers") == "Ada,Zoë");
}
