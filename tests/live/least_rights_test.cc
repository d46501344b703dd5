// A group's whole life with the least rights, as the pages and examples/nats-permissions.conf give them: a source role
// that owns nothing, a target role that may only write rows, NATS users by role.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

std::string permissions_for(const std::string& group) {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/examples/nats-permissions.conf");
    REQUIRE(file.good());
    std::string text(std::istreambuf_iterator<char>(file), {});
    text = replaced(text, "_shop", "_" + group);
    text = replaced(text, ".shop", "." + group);
    for (const char* role : {"REPLICATOR", "WORKER", "VIEWER", "OPERATOR"})
        text = replaced(text, fmt::format("$PGSLUICE_{}_PASSWORD", role), "secret");
    return text;
}

// The group's name is known once the pipeline is made, and the pipeline is made with a server.
struct Restricted {
    NatsServer nats;
    Pipeline pipeline{{shared_postgres(), shared_postgres(), nats}};
    std::string reader = "reader_" + pipeline.group();
    std::string writer = "writer_" + pipeline.group();

    Restricted() {
        nats.restart_with(permissions_for(pipeline.group()));
        pipeline.on_source(fmt::format("CREATE ROLE {} LOGIN REPLICATION", reader));
        pipeline.on_target(fmt::format("CREATE ROLE {} LOGIN", writer));
        pipeline.always({"--user", reader, "--nats-url", url("replicator")},
                        {"--target-user", writer, "--nats-url", url("worker")});
    }

    [[nodiscard]] std::string url(const std::string& user) const {
        return fmt::format("nats://{}:secret@127.0.0.1:{}", user, nats.port());
    }
    // A command with the NATS user, and, where it needs databases, as their owner.
    [[nodiscard]] Finished command(const std::string& user, std::vector<std::string> words) const {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", pipeline.group(), "--nats-url", url(user)});
        return run(words);
    }
    [[nodiscard]] std::string source() const { return shared_postgres().url(pipeline.source_db()); }
    // As the worker's role, whose schema pgsluice is.
    [[nodiscard]] std::string target() const {
        return replaced(shared_postgres().url(pipeline.target_db()), "postgres@", writer + "@");
    }
};

const std::vector<std::string> parks{"--on-error", "dead-letter"};

}  // namespace

TEST_CASE("snapshot, stream, a joining table, dead letters, restarts, commands and teardown with the least rights") {
    Restricted restricted;
    Pipeline& pipeline = restricted.pipeline;
    const std::string publication = "pgsluice_" + pipeline.group();
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v int, s serial); CREATE TABLE later (id int PRIMARY KEY)");
    pipeline.on_target("ALTER TABLE t ADD CHECK (v <> 13)");
    pipeline.on_source("INSERT INTO t SELECT i, 1 FROM generate_series(1, 1000) i; INSERT INTO later VALUES (1)");
    pipeline.on_source(fmt::format(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {0}; "
        "CREATE PUBLICATION {1} FOR TABLE ONLY t, ONLY settled WITH (publish = 'insert, update, delete, truncate')",
        restricted.reader, publication));
    pipeline.on_target(fmt::format(
        "CREATE SCHEMA pgsluice AUTHORIZATION {0}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN "
        "SCHEMA public TO {0}; GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {0}",
        restricted.writer));

    const std::vector<std::string> both_tables{"--copy-and-stream", "--tables", "t,settled"};
    pipeline.start_replicator(both_tables);
    pipeline.start_worker(parks);
    pipeline.check_equal({"t"});
    pipeline.on_source("UPDATE t SET v = 2 WHERE id < 500; DELETE FROM t WHERE id > 900");
    pipeline.check_equal({"t"});
    pipeline.on_source("INSERT INTO t VALUES (2000, 13)");
    pipeline.settle();
    pipeline.stop();

    // The DBA adds a table; the replicator's role could not.
    pipeline.on_source("ALTER PUBLICATION " + publication + " ADD TABLE ONLY later");
    pipeline.start_replicator({"--copy-and-stream", "--tables", "t,settled,later"});
    pipeline.start_worker(parks);
    // A joining table is copied beside the changes: the mark of check_equal() may come before its rows.
    eventually("the table has joined", [&] { return pipeline.target_scalar("SELECT count(*) FROM later") == "1"; });
    pipeline.check_equal({"later"});

    const Finished status = restricted.command("viewer", {"status"});
    CAPTURE(status.err);
    CHECK(status.code == 1);  // for the dead letter
    CHECK(contains(status.out, "1 changes are parked"));
    must_succeed(restricted.command("viewer", {"tables"}));
    must_succeed(restricted.command("viewer", {"repair"}));
    const Finished letters = restricted.command("viewer", {"dlq", "list"});
    must_succeed(letters);
    CHECK(contains(letters.out, "insert of 'public.t'"));
    pipeline.stop_worker();
    pipeline.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    must_succeed(restricted.command("operator", {"dlq", "replay", "--target-url", restricted.target()}));
    pipeline.start_worker(parks);
    must_succeed(restricted.command(
        "operator", {"compare", "--source-url", restricted.source(), "--target-url", restricted.target()}));
    must_succeed(restricted.command("operator", {"resnapshot", "--tables", "later"}));
    pipeline.on_source("INSERT INTO later VALUES (2)");
    // The row may come before the copy, which empties the table.
    eventually("the table is copied again", [&] { return contains(pipeline.worker().err(), "snapshot complete"); });
    eventually("the table is there again", [&] { return pipeline.target_scalar("SELECT count(*) FROM later") == "2"; });
    pipeline.check_equal({"t", "later"});
    must_succeed(restricted.command("operator", {"repair", "--yes"}));
    pipeline.stop();
    must_succeed(restricted.command(
        "operator", {"teardown", "--source-url", restricted.source(), "--target-url", restricted.target(), "--yes"}));
    CHECK_FALSE(contains(restricted.nats.log(), "Violation"));
}

TEST_CASE("who may only look cannot change anything") {
    Restricted restricted;
    Pipeline& pipeline = restricted.pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.always({"--nats-url", restricted.url("replicator")}, {"--nats-url", restricted.url("worker")});
    pipeline.start();
    pipeline.settle();
    pipeline.stop();
    CHECK(restricted.command("viewer", {"forget", "--worker-name", "postgres"}).code != 0);
    CHECK(restricted.command("viewer", {"teardown", "--source-url", restricted.source(), "--yes"}).code != 0);
    CHECK(contains(restricted.nats.log(), "Violation"));
    const Finished status = restricted.command("viewer", {"status"});
    CHECK(contains(status.out, "postgres"));
}
