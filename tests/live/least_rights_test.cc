// A group's whole life with the least rights, as the pages and examples/nats-permissions.conf give them: a source role
// that owns nothing, a target role that may only write rows, NATS users by role.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/live/check_fixture.h"
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

namespace {

struct Judged : Restricted {
    std::string publication = "pgsluice_" + pipeline.group();

    Judged() {
        pipeline.on_both("CREATE TABLE t (id serial PRIMARY KEY, v int)");
        pipeline.on_source(fmt::format(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}; CREATE PUBLICATION {1} FOR TABLE ONLY t, ONLY settled "
            "WITH (publish = 'insert, update, delete, truncate')",
            reader, publication));
        pipeline.on_target(
            fmt::format("CREATE SCHEMA pgsluice AUTHORIZATION {0}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON "
                        "ALL TABLES IN SCHEMA public TO {0}; GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA "
                        "public TO {0}",
                        writer));
    }

    [[nodiscard]] std::string as(const std::string& role, const std::string& database) const {
        return replaced(shared_postgres().url(database), "postgres@", role + "@");
    }
    // What a side needs, with that side's NATS user.
    [[nodiscard]] CheckReport check(const std::string& side) const {
        return CheckReport({PGSLUICE_BINARY, "check", "--group", pipeline.group(), "--side", side, "--source-url",
                            as(reader, pipeline.source_db()), "--target-url", as(writer, pipeline.target_db()),
                            "--nats-url", url(side), "--copy-and-stream", "--tables", "t,settled", "--on-error",
                            "dead-letter"});
    }
    void check_well(const std::string& side) const {
        const CheckReport report = check(side);
        INFO(report.text());
        CHECK_FALSE(report.has("fail"));
    }
    void check_fails(const std::string& side, const std::string& part) const {
        const CheckReport report = check(side);
        CHECK(report.finished.code == 2);
        report.line("fail ", part);
    }
    void without(const std::string& subject) {
        nats.restart_with(replaced(permissions_for(pipeline.group()), "\"" + subject + "\"", "\"none\""));
    }
};

}  // namespace

TEST_CASE("check says ok with the least rights, and a run works") {
    Judged judged;
    judged.check_well("replicator");
    judged.check_well("worker");
    judged.pipeline.start_replicator({"--copy-and-stream", "--tables", "t,settled"});
    judged.pipeline.start_worker(parks);
    judged.pipeline.on_source("INSERT INTO t VALUES (1, 1)");
    judged.pipeline.check_equal({"t"});
    judged.pipeline.stop();
    judged.check_well("replicator");
    judged.check_well("worker");
}

TEST_CASE("check fails without any one of the least rights in PostgreSQL") {
    Judged judged;
    Pipeline& pipeline = judged.pipeline;
    const auto on_source = [&](const std::string& take, const std::string& give, const std::string& part) {
        pipeline.on_source(take);
        judged.check_fails("replicator", part);
        pipeline.on_source(give);
    };
    const auto on_target = [&](const std::string& take, const std::string& give, const std::string& part) {
        pipeline.on_target(take);
        judged.check_fails("worker", part);
        pipeline.on_target(give);
    };
    const std::string reader = judged.reader;
    const std::string writer = judged.writer;
    on_source("ALTER ROLE " + reader + " NOREPLICATION", "ALTER ROLE " + reader + " REPLICATION", "right to replicate");
    on_source("ALTER ROLE " + reader + " NOLOGIN", "ALTER ROLE " + reader + " LOGIN", "unable to connect");
    on_source("REVOKE SELECT ON t FROM " + reader, "GRANT SELECT ON t TO " + reader, "may not read public.t");
    on_source("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO PUBLIC",
              "may not use schema public");
    on_source("ALTER PUBLICATION " + judged.publication + " DROP TABLE t",
              "ALTER PUBLICATION " + judged.publication + " ADD TABLE ONLY t", "may not alter it");
    for (const std::string right : {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"})
        on_target("REVOKE " + right + " ON t FROM " + writer, "GRANT " + right + " ON t TO " + writer,
                  "may not " + right + " on public.t");
    for (const std::string right : {"USAGE", "SELECT", "UPDATE"})
        on_target("REVOKE " + right + " ON t_id_seq FROM " + writer, "GRANT " + right + " ON t_id_seq TO " + writer,
                  "t_id_seq");
    on_target("ALTER SCHEMA pgsluice OWNER TO postgres", "ALTER SCHEMA pgsluice OWNER TO " + writer, "pgsluice");
    judged.check_well("replicator");
    judged.check_well("worker");
}

TEST_CASE("check fails without any one of the least rights in NATS") {
    Judged judged;
    const std::string group = judged.pipeline.group();
    const auto lacks = [&](const std::string& side, const std::string& subject) {
        judged.without(subject);
        judged.check_fails(side, "may not publish to '" + subject + "'");
    };
    const std::string stream = "pgsluice_" + group;
    for (const std::string& subject :
         {"pgsluice." + group + ".>", "$KV." + stream + ".>", "$JS.API.STREAM.INFO." + stream,
          "$JS.API.STREAM.CREATE." + stream, "$JS.API.STREAM.CREATE.KV_" + stream, "$JS.API.STREAM.MSG.GET." + stream,
          "$JS.API.STREAM.INFO.KV_" + stream, "$JS.API.DIRECT.GET.KV_" + stream + ".>",
          "$JS.API.STREAM.INFO.pgsluice-dlq_" + group})
        lacks("replicator", subject);
    for (const std::string& subject :
         {"$KV." + stream + ".worker.>", "$KV." + stream + ".seen.>", "$JS.API.CONSUMER.CREATE." + stream,
          "$JS.API.CONSUMER.DELETE." + stream + ".>", "$JS.FC." + stream + ".>", "pgsluice-dlq." + group,
          "$JS.API.STREAM.CREATE.pgsluice-dlq_" + group})
        lacks("worker", subject);
}

namespace {

// The subjects in the file that a role may publish to.
std::set<std::string> subjects_in_conf(const std::string& conf, const std::string& role) {
    const auto from = conf.find("publish: [", conf.find("user: " + role + ","));
    const std::string list = conf.substr(from, conf.find(']', from) - from);
    std::set<std::string> subjects;
    for (auto at = list.find('"'); at != std::string::npos; at = list.find('"', at)) {
        const auto end = list.find('"', at + 1);
        subjects.insert(list.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return subjects;
}

// Those that check says are missing for a user who has none.
std::set<std::string> subjects_said(const CheckReport& report) {
    const std::string begin = "may not publish to '";
    std::set<std::string> subjects;
    for (const std::string& line : report.lines) {
        const auto at = line.find(begin);
        if (line.rfind("skip", 0) == 0 || at == std::string::npos) continue;
        const auto from = at + begin.size();
        subjects.insert(line.substr(from, line.find('\'', from) - from));
    }
    return subjects;
}

}  // namespace

TEST_CASE("check tries just the subjects of examples/nats-permissions.conf") {
    Judged judged;
    const std::string conf = permissions_for(judged.pipeline.group());
    const auto with = [&](const std::string& role) {
        return "authorization { users = [ { user: " + role +
               ", password: secret, permissions: { subscribe: [\"_INBOX.>\"], publish: [\"none\"] } } ] }";
    };
    judged.nats.restart_with(with("replicator"));
    auto replicator = subjects_in_conf(conf, "replicator");
    // Not tried: a server may take what is sent for an order.
    std::erase_if(replicator, [](const std::string& subject) { return contains(subject, ".PURGE."); });
    CHECK(subjects_said(judged.check("replicator")) == replicator);
    judged.nats.restart_with(with("worker"));
    auto expected = subjects_in_conf(conf, "worker");
    // Of later versions of nats.c.
    expected.erase("$JS.API.CONSUMER.CREATE.pgsluice_" + judged.pipeline.group() + ".>");
    CHECK(subjects_said(judged.check("worker")) == expected);
}
