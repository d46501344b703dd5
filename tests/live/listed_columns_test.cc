// A target with some of the source's columns, and more of its own: columns: {only: [...]}.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

std::string routing() {
    const std::string path = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(path) << "users: {columns: {only: [id, email, note]}}\n";
    return path;
}

constexpr const char* users =
    "CREATE TABLE users (id int PRIMARY KEY, ssn text NOT NULL UNIQUE, email text, note text);"
    "ALTER TABLE users ALTER note SET STORAGE EXTERNAL;"
    "INSERT INTO users SELECT i, 's' || i, 'u' || i, repeat('long ', 1000) FROM generate_series(1, 500) i";
constexpr const char* listed = "(SELECT id, email, note FROM users)";

void write(Pipeline& pipeline) {
    pipeline.on_source("UPDATE users SET email = 'e' || id WHERE id < 50");  // unchanged TOAST
    pipeline.on_source("UPDATE users SET ssn = 'x' || id WHERE id < 20");    // nothing that is listed
    pipeline.on_source("UPDATE users SET id = 1000 WHERE id = 60; DELETE FROM users WHERE id = 61");
    pipeline.on_source("INSERT INTO users VALUES (2000, 'new', NULL, '')");
}

void check_same(Pipeline& pipeline, const std::string& file) {
    pipeline.settle();
    CHECK(pipeline.target_sum(listed) == pipeline.source_sum(listed));
    const Finished compared = run_compare(pipeline, {"--routing-config", file});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
}

}  // namespace

TEST_CASE("a table that is made on the target, and altered, has the listed columns only") {
    Pipeline pipeline;
    const std::string file = routing();
    pipeline.on_source(users);
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker({"--target-sync-schema", "--routing-config", file, "--source-url", pipeline.source_url()});
    pipeline.settle();
    write(pipeline);
    check_same(pipeline, file);
    pipeline.on_source("ALTER TABLE users ADD secret int DEFAULT 7");
    pipeline.on_source(
        "CREATE INDEX by_email ON users (lower(email)); CREATE INDEX by_secret ON users (secret, email)");
    pipeline.on_source("ALTER TABLE users ALTER email TYPE varchar(100)");
    pipeline.on_source("UPDATE users SET secret = 8, email = 'q' WHERE id = 70");
    check_same(pipeline, file);
    CHECK(pipeline.target_scalar(
              "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY "
              "attnum) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped") ==
          "id integer, email character varying(100), note text");
    CHECK(pipeline.target_scalar("SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY "
                                 "indexrelid::regclass::text) FROM pg_index WHERE "
                                 "indrelid = 'users'::regclass") == "by_email users_pkey");
    pipeline.stop();
}

TEST_CASE("columns that the target has beside the listed ones keep their values; a dead letter has the listed ones") {
    Pipeline pipeline;
    const std::string file = routing();
    pipeline.on_source(users);
    pipeline.on_target(
        "CREATE TABLE users (made timestamptz NOT NULL DEFAULT now(), note text, id int PRIMARY KEY, email text CHECK "
        "(email <> 'bad'), level int NOT NULL DEFAULT 3)");
    pipeline.start_replicator();
    pipeline.start_worker({"--routing-config", file, "--on-error", "dead-letter"});
    pipeline.settle();
    pipeline.on_target("UPDATE users SET level = 4 WHERE id = 1");
    write(pipeline);
    check_same(pipeline, file);
    CHECK(pipeline.target_scalar("SELECT level FROM users WHERE id = 1") == "4");
    CHECK(pipeline.target_scalar("SELECT level || ' ' || (made IS NOT NULL) FROM users WHERE id = 2000") == "3 true");

    pipeline.on_source("INSERT INTO users VALUES (3000, 'canary', 'bad', 'kept')");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM users WHERE id = 3000") == "0");
    const auto dlq = [&](const std::string& what, std::vector<std::string> more) {
        more.insert(more.begin(), {PGSLUICE_BINARY, "dlq", what, "--group", pipeline.group(), "--nats-url",
                                   shared_servers().nats.url(0)});
        return run(more, {}, std::chrono::seconds(60));
    };
    const Finished letters = dlq("list", {});
    CHECK_MESSAGE(contains(letters.out, "insert of 'public.users'"), letters.out << letters.err);
    CHECK(!contains(letters.out + pipeline.worker().err(), "canary"));
    pipeline.stop_worker();
    pipeline.on_target("ALTER TABLE users DROP CONSTRAINT users_email_check");
    const Finished replayed = dlq("replay", {"--target-url", pipeline.target_url()});
    CHECK_MESSAGE(replayed.code == 0, replayed.out << replayed.err);
    CHECK(pipeline.target_scalar("SELECT email || ' ' || note || ' ' || level FROM users WHERE id = 3000") ==
          "bad kept 3");
    pipeline.stop_replicator();
}
