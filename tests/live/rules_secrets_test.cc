// Secrets in hidden columns and rows, through every sink: none may be found in what a sink wrote, in the dead letters
// or in a log, whatever the operation and whatever fails. Every secret holds the word "canary".
#include <doctest/doctest.h>

#include "stream/broker.h"
#include "stream/names.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

bool has_canary(const std::string& text) { return text.find("canary") != std::string::npos; }

std::string rules_with(const std::string& secret_file) {
    return "secret_file: " + secret_file + R"(
tables:
  people:
    - {type: transform, column: id, parameters: {type: hash}}
    - {type: transform, column: email, parameters: {type: mask}}
    - {type: exclude_column, column: ssn}
    - {type: transform, column: phone, parameters: {type: regex, pattern: '[a-z]', replace: '.'}}
    - {type: transform, column: doc, parameters: {type: json, path: $..secret, transform: {type: redact}}}
    - {type: transform, column: essay, parameters: {type: redact}}
    - {type: filter, column: age, parameters: {operator: gte, value: 18}, allow_empty_deletes: true}
)";
}

// The target refuses: a phone that is NULL, an n above 99, a masked email that is there already, a kind that is no
// number, and 0 as kind.
constexpr const char* target_tables = R"(
    CREATE TABLE people (id text PRIMARY KEY, email text UNIQUE, phone text NOT NULL, doc jsonb, essay text, age int,
                         n int CHECK (n < 100), kind int CHECK (1 / kind >= 0)))";

std::string person(const std::string& id, const std::string& email, int age, const std::string& more) {
    return "('canary-" + id + "', '" + email + "', 'canary-ssn', " + more + ", '{\"secret\": \"canary-doc\"}', " +
           "(SELECT string_agg('canary' || md5(i::text), '') FROM generate_series(1, 300) i), " + std::to_string(age) +
           ")";
}

constexpr const char* column_list = "(id, email, ssn, phone, n, kind, doc, essay, age)";

std::string insert(const std::string& id, const std::string& email, int age,
                   const std::string& phone_n_kind = "'canary', 1, '1'") {
    return std::string("INSERT INTO people ") + column_list + " VALUES " + person(id, email, age, phone_n_kind);
}

void make_people(Pipeline& pipeline, const std::string& identity) {
    pipeline.on_source(
        "CREATE TABLE people (id text PRIMARY KEY, email text, ssn text, phone text, doc jsonb, essay text, age int, "
        "n int, kind text); ALTER TABLE people REPLICA IDENTITY " +
        identity + "; ALTER TABLE people ALTER essay SET STORAGE EXTERNAL");
    for (const std::string& statement : {
             insert("1", "1canary1", 18),
             insert("2", "2canary2", 40),
             insert("3", "3canary3", 17),
             insert("4", "4canary4", 50),
             insert("copy-null", "5canary5", 18, "NULL, 1, '1'"),
             insert("copy-check", "6canary6", 18, "'canary', 500, '1'"),
             insert("copy-type", "7canary7", 18, "'canary', 1, 'none'"),
             insert("copy-unique", "1yranaa1", 18),
         })
        pipeline.on_source(statement);
}

// One statement each, so that every kind of change is a transaction of its own.
void change_people(Pipeline& pipeline) {
    for (const std::string& statement : {
             insert("10", "xcanaryy", 19),
             insert("11", "canary-child", 3),
             std::string("UPDATE people SET email = 'vcanaryw', essay = essay || 'canary' WHERE id = 'canary-1'"),
             std::string("UPDATE people SET ssn = 'canary-new' WHERE id = 'canary-1'"),
             std::string("UPDATE people SET age = 18, ssn = 'canary-in', essay = 'canary' WHERE id = 'canary-3'"),
             std::string("UPDATE people SET age = 2 WHERE id = 'canary-2'"),
             std::string("UPDATE people SET id = 'canary-12' WHERE id = 'canary-10'"),
             std::string("DELETE FROM people WHERE id = 'canary-11'"),
             std::string("DELETE FROM people WHERE id = 'canary-4'"),
             insert("null", "acanaryb", 18, "NULL, 1, '1'"),
             insert("check", "ccanaryd", 18, "'canary', 500, '1'"),
             insert("type", "ecanaryf", 18, "'canary', 1, 'none'"),
             insert("zero", "gcanaryh", 18, "'canary', 1, '0'"),
             insert("unique", "vcbnaryw", 18),
             std::string("UPDATE people SET n = 600, email = 'icanaryj' WHERE id = 'canary-12'"),
             std::string("UPDATE people SET id = 'canary-13', phone = NULL WHERE id = 'canary-12'"),
         })
        pipeline.on_source(statement);
}

// Bodies and headers of all the group's dead letters, and how many there are.
std::pair<std::string, std::size_t> dead_letters(const Pipeline& pipeline) {
    const auto names = pgsluice::names_for(pipeline.group());
    const auto broker = connect_broker();
    const auto state = broker->stream_state(names.dead_letters);
    REQUIRE(state);
    std::string text;
    for (auto seq = state->first_seq; seq <= state->last_seq; ++seq.value) {
        const auto message = broker->stored_message(names.dead_letters, seq);
        REQUIRE(message);
        text += message->body + "\n";
        for (const auto& [name, value] : message->headers) text += name + ": " + value + "\n";
    }
    return {text, state->messages};
}

// A group whose source has made all changes, and workers that read up to the last.
class Secrets {
   public:
    explicit Secrets(const std::string& identity) {
        make_people(pipeline, identity);
        pipeline.start_replicator({"--copy-and-stream", "--log-level", "debug"});
        pipeline.await_stream();
        change_people(pipeline);
        lsn_ = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
    }

    // Neither its output nor its log may show a secret.
    Finished worker(const std::string& sink, std::vector<std::string> more, int expected_code = 0) {
        more.insert(more.end(), {"--rules-config", rules_.path(), "--log-level", "debug", "--exit-at-lsn", lsn_});
        Finished finished = run(pipeline.worker_argv(sink, std::move(more)));
        INFO(finished.err);
        CHECK(finished.code == expected_code);
        CHECK_FALSE(has_canary(finished.out));
        CHECK_FALSE(has_canary(finished.err));
        return finished;
    }

    Pipeline pipeline;

   private:
    TextFile secret_{"canary-of-the-hash", "secret"};
    TextFile rules_{rules_with(secret_.path())};
    std::string lsn_;
};

// Everything in the target, and the logs and dead letters of a worker that parks what the target refuses.
void check_parking(Secrets& secrets) {
    Pipeline& pipeline = secrets.pipeline;
    pipeline.on_target(target_tables);
    secrets.worker("postgres", {"--on-error", "dead-letter"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM people") == "3");
    CHECK_FALSE(has_canary(pipeline.target_scalar("SELECT string_agg(p::text, ' ') FROM people p")));
    const auto [letters, count] = dead_letters(pipeline);
    CHECK(count == 11);
    CHECK(contains(letters, "Pgsluice-Reason"));
    CHECK_FALSE(has_canary(letters));
    const Finished list =
        run({PGSLUICE_BINARY, "dlq", "list", "--group", pipeline.group(), "--nats-url", shared_nats().url()});
    INFO(list.err);
    CHECK(list.code == 0);
    CHECK(contains(list.out, "people"));
    CHECK_FALSE(has_canary(list.out + list.err));
}

// A worker that stops at the first row its target refuses, with PostgreSQL's own words in the log.
void check_stopping(Secrets& secrets, const std::string& name, const std::string& target, const std::string& words) {
    const std::string database = shared_postgres().create_database();
    shared_postgres().sql(database, "CREATE TABLE settled (mark int PRIMARY KEY)");
    shared_postgres().sql(database, target);
    const Finished stopped =
        secrets.worker("postgres", {"--target-url", shared_postgres().url(database), "--worker-name", name}, 1);
    INFO(stopped.err);
    CHECK(contains(stopped.err, words));
}

void check_stopping(Secrets& secrets) {
    const std::string columns =
        "CREATE TABLE people (id text PRIMARY KEY, email text, phone text, doc jsonb, essay text, age int, n int";
    check_stopping(secrets, "copy_null", columns + ", kind text, CHECK (phone IS NOT NULL))", "violates check");
    check_stopping(secrets, "copy_not_null",
                   columns + ", kind text, CONSTRAINT k CHECK (true)); ALTER TABLE people ALTER phone SET NOT NULL",
                   "null value in column");
    check_stopping(secrets, "copy_type", columns + ", kind int)", "invalid input syntax");
    check_stopping(secrets, "copy_unique", columns + ", kind text, UNIQUE (email))", "duplicate key");
    check_stopping(secrets, "change_check", columns + " CHECK (n <> 600), kind text)", "violates check");
    check_stopping(secrets, "change_zero", columns + ", kind text, CHECK (kind = 'none' OR 1 / kind::int >= 0))",
                   "division by zero");
}

void check_lines(Secrets& secrets) {
    for (const char* format : {"pg_flo", "debezium"}) {
        CAPTURE(format);
        const std::string name = std::string("lines_") + format;
        const Finished lines = secrets.worker("stdout", {"--format", format, "--worker-name", name});
        CHECK(contains(lines.out, "v******w"));
        const std::string directory = temporary_directory(name);
        secrets.worker("file", {"--format", format, "--worker-name", "file_" + name, "--file-output-dir", directory});
        const std::string files = all_files(directory);
        CHECK(contains(files, "v******w"));
        CHECK_FALSE(has_canary(files));
    }
}

// The receiver refuses some changes for good, and says so with the whole body it was sent.
void check_webhook(Secrets& secrets) {
    const HttpReceiver receiver([](const HttpRequest& request) {
        HttpReply reply;
        reply.status = contains(request.body, R"("n":500)") ? 422 : 200;
        reply.body = request.body;
        return reply;
    });
    secrets.worker("webhook", {"--webhook-url", receiver.url(), "--on-error", "dead-letter"});
    std::string sent;
    for (const HttpRequest& request : receiver.requests()) {
        sent += request.body;
        for (const auto& [name, value] : request.headers) sent += name + ": " + value + "\n";
    }
    CHECK(contains(sent, "v******w"));
    CHECK_FALSE(has_canary(sent));
    CHECK_FALSE(has_canary(dead_letters(secrets.pipeline).first));
    const Finished stopped =
        secrets.worker("webhook", {"--webhook-url", receiver.url(), "--worker-name", "stopping"}, 1);
    CHECK(contains(stopped.err, "422"));
}

void check_nats(Secrets& secrets) {
    const std::string subject = "secrets." + secrets.pipeline.group();
    const UserStream stream(shared_nats().url(), "SECRETS_" + secrets.pipeline.group(), subject);
    secrets.worker("nats", {"--nats-subject", subject});
    std::string sent;
    for (const auto& message : stream.read()) sent += message.subject + message.id + message.body;
    CHECK(contains(sent, "v******w"));
    CHECK_FALSE(has_canary(sent));
}

void check_all_sinks(const std::string& identity) {
    Secrets secrets(identity);
    check_parking(secrets);
    check_stopping(secrets);
    check_lines(secrets);
    check_webhook(secrets);
    check_nats(secrets);
    CHECK_FALSE(has_canary(secrets.pipeline.replicator().err()));
    secrets.pipeline.stop_replicator();
}

}  // namespace

TEST_CASE("no secret reaches a sink, a dead letter or a log") { check_all_sinks("DEFAULT"); }
TEST_CASE("no secret reaches a sink, a dead letter or a log under REPLICA IDENTITY FULL") { check_all_sinks("FULL"); }

TEST_CASE("without the rules the same changes show their secrets") {
    Pipeline pipeline;
    make_people(pipeline, "DEFAULT");
    pipeline.start_replicator();
    const Finished worker = run(pipeline.worker_argv("stdout", {"--exit-after-snapshot"}));
    CHECK(worker.code == 0);
    CHECK(has_canary(worker.out));
    pipeline.stop_replicator();
}
