// Rules from end to end: what reaches a target database and a line sink, and that no hidden value reaches anything.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kExample = R"(
tables:
  users:
    - type: transform
      column: email
      parameters: {type: mask, mask_char: "*"}
      operations: [INSERT, UPDATE, DELETE]
      allow_empty_deletes: true
    - type: filter
      column: age
      parameters: {operator: gte, value: 18, allow_empty_deletes: true}
    - {type: exclude_column, column: ssn}
)";

void make_users(Pipeline& pipeline) {
    pipeline.on_source(R"(
        CREATE TABLE users (id int PRIMARY KEY, email text, age int, ssn text);
        INSERT INTO users VALUES (1, 'john@example.com', 18, 'canary-1'), (2, 'canary-2', 17, 'canary-3'), (3, 'xcanaryx', 40, NULL);
    )");
}

// One statement each, so that every kind of change is a transaction of its own.
void change_users(Pipeline& pipeline) {
    for (const char* statement : {
             "INSERT INTO users VALUES (4, 'äcanaryü', 19, 'canary-4'), (5, 'canary-5', 3, 'canary-6')",
             "UPDATE users SET email = 'ycanaryy' WHERE id = 1",
             "UPDATE users SET age = 18, ssn = 'canary-7' WHERE id = 2",
             "UPDATE users SET age = 2 WHERE id = 3",
             "UPDATE users SET id = 6 WHERE id = 4",
             "DELETE FROM users WHERE id = 5",
             "INSERT INTO users VALUES (7, 'zcanaryz', 77, 'canary-8')",
             "DELETE FROM users WHERE id = 7",
         })
        pipeline.on_source(statement);
}

const Texts kExpected{"(1,y******y,18)", "(2,c******2,18)", "(6,ä******ü,19)"};

bool has_canary(const std::string& text) { return text.find("canary") != std::string::npos; }

}  // namespace

TEST_CASE("the example rules hold for copy and stream, whatever the replica identity") {
    for (const char* identity : {"DEFAULT", "FULL"}) {
        CAPTURE(identity);
        const TextFile rules(kExample);
        Pipeline pipeline;
        make_users(pipeline);
        pipeline.on_source(std::string("ALTER TABLE users REPLICA IDENTITY ") + identity);
        pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int)");
        pipeline.start_replicator();
        pipeline.start_worker({"--rules-config", rules.path(), "--log-level", "debug"});
        pipeline.settle();
        CHECK(pipeline.target_rows("users") == Texts{"(1,j**************m,18)", "(3,x******x,40)"});
        change_users(pipeline);
        pipeline.settle();
        CHECK(pipeline.target_rows("users") == kExpected);
        CHECK_FALSE(has_canary(pipeline.worker().err()));
        CHECK_FALSE(has_canary(pipeline.replicator().err()));
        pipeline.stop();
    }
}

TEST_CASE("no hidden value reaches a line or a log") {
    for (const char* identity : {"DEFAULT", "FULL"}) {
        CAPTURE(identity);
        const TextFile rules(kExample);
        Pipeline pipeline;
        make_users(pipeline);
        pipeline.on_source(std::string("ALTER TABLE users REPLICA IDENTITY ") + identity);
        pipeline.start_replicator();
        eventually("the replicator streams", [&] {
            return pipeline.source_scalar(
                       "SELECT count(*) FROM pg_replication_slots WHERE active AND database = current_database()") ==
                   "1";
        });
        change_users(pipeline);
        const std::string lsn = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
        const Finished worker = run(pipeline.worker_argv(
            "stdout", {"--rules-config", rules.path(), "--log-level", "debug", "--exit-at-lsn", lsn}));
        CHECK(worker.code == 0);
        CHECK(worker.out.find(R"("email":"y******y")") != std::string::npos);
        CHECK(worker.out.find(R"("Type":"DELETE")") != std::string::npos);
        CHECK_FALSE(has_canary(worker.out));
        CHECK_FALSE(has_canary(worker.err));
        pipeline.stop_replicator();
    }
}

TEST_CASE("a row that the target refuses shows nothing hidden") {
    const TextFile rules(kExample);
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int CHECK (age < 40))");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path(), "--log-level", "debug"});
    CHECK(pipeline.worker().wait() != 0);
    CHECK(pipeline.worker().err().find("users") != std::string::npos);
    CHECK_FALSE(has_canary(pipeline.worker().err()));
    pipeline.stop_replicator();
}

TEST_CASE("a rule that does not fit stops the worker before a row is written") {
    const TextFile rules("tables: {users: [{type: transform, column: mail, parameters: {type: mask}}]}");
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int, ssn text)");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    CHECK(pipeline.worker().wait() == 2);
    CHECK(pipeline.worker().err().find("rule 1 of table 'users', column 'mail'") != std::string::npos);
    CHECK(pipeline.target_rows("users").empty());
    pipeline.stop_replicator();
}

TEST_CASE("routes hold for copy and stream, keys follow") {
    const TextFile routing(R"(
users:
  source_table: users
  destination_table: crm.customers
  column_mappings: [{source: id, destination: customer_id}]
  operations: [INSERT, UPDATE]
)",
                           "routing.yaml");
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.on_target(
        "CREATE SCHEMA crm; CREATE TABLE crm.customers (customer_id int PRIMARY KEY, email text, age int, ssn text)");
    pipeline.start_replicator();
    pipeline.start_worker({"--routing-config", routing.path()});
    pipeline.settle();
    pipeline.on_source(
        "UPDATE users SET email = 'b' WHERE id = 1; DELETE FROM users WHERE id = 2; UPDATE users SET id = 9 WHERE id = "
        "3");
    pipeline.settle();
    CHECK(pipeline.target_rows("crm.customers") ==
          Texts{"(1,b,18,canary-1)", "(2,canary-2,17,canary-3)", "(9,xcanaryx,40,)"});
    pipeline.stop();
}
