// What can be wrong around us: one line that says what, a HINT that says what to do, a code that is not 0, and nothing
// left behind that would be in the way of the next start.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> no_retries = {"--retry-max-attempts", "1", "--retry-initial-wait", "10ms"};

std::vector<std::string> with(std::vector<std::string> argv, const std::vector<std::string>& more) {
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

// The command fails, says `reason` in one line that begins with "error: " and ends its output with a HINT.
void check_refused(const std::vector<std::string>& argv, const std::string& reason) {
    const Finished finished = run(argv);
    INFO("standard error:\n" << finished.err);
    CHECK(finished.code != 0);
    CHECK(finished.code < 128);
    CHECK(finished.out.empty());
    const auto error = finished.err.rfind("error: ");
    REQUIRE(error != std::string::npos);
    const auto end = finished.err.find('\n', error);
    REQUIRE(end != std::string::npos);
    CHECK(finished.err.substr(error, end - error).find(reason) != std::string::npos);
    CHECK(finished.err.substr(end + 1).starts_with("HINT: "));
    CHECK(finished.err.find('\n', end + 1) == finished.err.size() - 1);
}

std::string things_left(PostgresServer& server, const std::string& database) {
    return server.scalar(database, "SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = '" + database +
                                       "') + (SELECT count(*) FROM pg_publication)");
}

struct Users : Pipeline {
    explicit Users(PipelineServers servers = shared_servers()) : Pipeline(servers) {
        on_both("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ada')");
        on_target("TRUNCATE users");
    }
    // The start that follows a refusal works.
    void check_works() {
        start();
        check_equal({"users"});
        stop();
    }
};

}  // namespace

TEST_CASE("wrong password, unreachable host, missing database") {
    PostgresServer server({.password = true});
    Users users({server, shared_postgres(), shared_nats()});
    const auto attempt = [&](const std::string& url) {
        return with({PGSLUICE_BINARY, "replicator", "--group", users.group(), "--nats-url", shared_nats().url(),
                     "--copy-and-stream", "--source-url", url},
                    no_retries);
    };
    const auto port = std::to_string(server.port());
    check_refused(attempt("postgresql://postgres:wrong@127.0.0.1:" + port + "/" + users.source_db()), "password");
    check_refused(attempt("postgresql://postgres:secret@127.0.0.1:" + port + "/nowhere"), "nowhere");
    check_refused(attempt("postgresql://postgres@127.0.0.1:" + std::to_string(free_port()) + "/x"), "127.0.0.1");
    check_refused(attempt("postgresql://postgres@no-such-host.invalid/x"), "no-such-host.invalid");
    users.check_works();
}

TEST_CASE("a source that is not set up for logical replication") {
    PostgresServer server({.settings = {{"wal_level", "replica"}}});
    Users users({server, shared_postgres(), shared_nats()});
    check_refused(users.replicator_argv({"--copy-and-stream"}), "wal_level");
    CHECK(things_left(server, users.source_db()) == "0");
}

TEST_CASE("missing tables and privileges") {
    Users users;
    check_refused(users.replicator_argv({"--copy-and-stream", "--tables", "users,ghosts"}), "ghosts");
    CHECK(things_left(shared_postgres(), users.source_db()) == "0");

    users.on_source("CREATE ROLE mere_" + users.group() +
                    " LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO mere_" + users.group());
    auto argv = users.replicator_argv({"--copy-and-stream"});
    for (auto& word : argv) {
        if (word.starts_with("postgresql://")) word.replace(13, 8, "mere_" + users.group());
    }
    check_refused(argv, " to start ");  // a walsender, which versions spell otherwise
    CHECK(things_left(shared_postgres(), users.source_db()) == "0");
    users.check_works();
}

TEST_CASE("no nats-server, and one without JetStream") {
    Users users;
    NatsServer plain({.jetstream = false});
    const auto nowhere = "nats://127.0.0.1:" + std::to_string(free_port());
    const auto attempt = [&](std::vector<std::string> argv, const std::string& url) {
        for (std::size_t i = 1; i < argv.size(); ++i) {
            if (argv[i - 1] == "--nats-url") argv[i] = url;
        }
        return with(std::move(argv), no_retries);
    };
    check_refused(attempt(users.replicator_argv({"--copy-and-stream"}), nowhere), "127.0.0.1");
    check_refused(attempt(users.replicator_argv({"--copy-and-stream"}), plain.url()), "JetStream");
    check_refused(attempt(users.worker_argv("postgres", {}), nowhere), "127.0.0.1");
    check_refused(attempt(users.worker_argv("postgres", {}), plain.url()), "JetStream");
    CHECK(things_left(shared_postgres(), users.source_db()) == "0");
    users.check_works();
}

TEST_CASE("the target lacks the table or a column") {
    Users users;
    users.on_target("DROP TABLE users");
    users.start_replicator();
    check_refused(users.worker_argv("postgres", {}), "users");
    users.on_target("CREATE TABLE users (id int PRIMARY KEY)");
    check_refused(users.worker_argv("postgres", {}), "name");
    users.on_target("ALTER TABLE users ADD name text");
    users.start_worker();
    users.check_equal({"users"});
    users.stop();
}

TEST_CASE("a target that already holds rows is not touched unasked") {
    Users users;
    users.on_target("INSERT INTO users VALUES (77, 'was here')");
    users.start_replicator();
    check_refused(users.worker_argv("postgres", {}), "users");
    CHECK(users.target_rows("users") == std::vector<std::string>{"(77,\"was here\")"});
    users.start_worker({"--target-existing-rows", "truncate"});
    users.check_equal({"users"});
    users.stop();
}

TEST_CASE("a rule that does not fit stops the worker before any row") {
    Users users;
    users.start_replicator();
    const auto rules = temporary_directory("rules") + "/rules.yaml";
    run({"sh", "-c",
         "printf 'tables:\\n  users:\\n    - {type: transform, column: nmae, parameters: {type: mask}}\\n' > " +
             rules});
    check_refused(users.worker_argv("postgres", {"--rules-config", rules}), "nmae");
    CHECK(users.target_rows("users").empty());
    users.start_worker();
    users.check_equal({"users"});
    users.stop();
}

TEST_CASE("no part of a password of NATS's URL is shown, whatever is in it") {
    for (const char* password : {"s3cret,s3cret", "s3cret,12", "12,s3cret", "s3cret/s3cret", "1/s3cret",
                                 "s3cret:s3cret", "s3cret@s3cret", "s3cret?s3cret", "s3cret#s3cret", "%s3cret"}) {
        CAPTURE(password);
        const Finished finished = run({PGSLUICE_BINARY, "status", "--group", "g", "--nats-url",
                                       "nats://u:" + std::string(password) + "@127.0.0.1:1"});
        CHECK(finished.code != 0);
        CAPTURE(finished.err);
        CHECK(finished.err.find("s3cret") == std::string::npos);
    }
}
