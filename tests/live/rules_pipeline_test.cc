// Rules from end to end: what they let reach a target database, and what they refuse.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/pipeline.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::example_rules;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

void make_users(Pipeline& pipeline) {
    pipeline.on_source(R"(
        CREATE TABLE users (id int PRIMARY KEY, email text, age int, ssn text);
        INSERT INTO users VALUES (1, 'john@example.com', 18, 'ssn-1'), (2, 'ssn-2', 17, 'ssn-3'), (3, 'xcanaryx', 40, NULL);
    )");
}

// One statement each, so that every kind of change is a transaction of its own.
void change_users(Pipeline& pipeline) {
    for (const char* statement : {
             "INSERT INTO users VALUES (4, 'äcanaryü', 19, 'ssn-4'), (5, 'ssn-5', 3, 'ssn-6')",
             "UPDATE users SET email = 'ycanaryy' WHERE id = 1",
             "UPDATE users SET age = 18, ssn = 'ssn-7' WHERE id = 2",
             "UPDATE users SET age = 2 WHERE id = 3",
             "UPDATE users SET id = 6 WHERE id = 4",
             "DELETE FROM users WHERE id = 5",
             "INSERT INTO users VALUES (7, 'zcanaryz', 77, 'ssn-8')",
             "DELETE FROM users WHERE id = 7",
         })
        pipeline.on_source(statement);
}

const Texts expected_rows{"(1,y******y,18)", "(2,s***2,18)", "(6,ä******ü,19)"};

}  // namespace

TEST_CASE("the example rules hold for copy and stream, whatever the replica identity") {
    for (const char* identity : {"DEFAULT", "FULL"}) {
        CAPTURE(identity);
        const TextFile rules(example_rules);
        Pipeline pipeline;
        make_users(pipeline);
        pipeline.on_source(std::string("ALTER TABLE users REPLICA IDENTITY ") + identity);
        pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int)");
        pipeline.start_replicator();
        pipeline.start_worker({"--rules-config", rules.path()});
        pipeline.settle();
        CHECK(pipeline.target_rows("users") == Texts{"(1,j**************m,18)", "(3,x******x,40)"});
        change_users(pipeline);
        pipeline.settle();
        CHECK(pipeline.target_rows("users") == expected_rows);
        pipeline.stop();
    }
}

TEST_CASE("the example rules hold for lines, copied and followed") {
    const TextFile rules(example_rules);
    const TextFile place("", "here");
    const std::string directory = std::filesystem::path(place.path()).parent_path() / "lines";
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.start_replicator({"--copy-and-stream", "--tables", "users"});
    pipeline.await_stream();
    change_users(pipeline);
    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_insert_lsn()");
    const Finished worker = run(pipeline.worker_argv(
        "file", {"--file-output-dir", directory, "--rules-config", rules.path(), "--exit-at-lsn", end}));
    INFO(worker.err);
    CHECK(worker.code == 0);
    const Finished lines = run({"bash", "-c", "jq -c '[.Type, .NewTuple, .OldTuple]' " + directory + "/*.jsonl*"});
    CHECK(lines.out == R"(["INSERT",{"id":1,"email":"j**************m","age":18},null]
["INSERT",{"id":3,"email":"x******x","age":40},null]
["INSERT",{"id":4,"email":"ä******ü","age":19},null]
["UPDATE",{"id":1,"email":"y******y","age":18},null]
["UPDATE",{"id":2,"email":"s***2","age":18},null]
["DELETE",null,{"id":3}]
["UPDATE",{"id":6,"email":"ä******ü","age":19},{"id":4}]
["DELETE",null,{"id":5}]
["INSERT",{"id":7,"email":"z******z","age":77},null]
["DELETE",null,{"id":7}]
)");
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
    CHECK(pipeline.target_rows("crm.customers") == Texts{"(1,b,18,ssn-1)", "(2,ssn-2,17,ssn-3)", "(9,xcanaryx,40,)"});
    pipeline.stop();
}

TEST_CASE("a transform that may make unique values the same stops the worker, whatever its sink") {
    const TextFile rules(example_rules);
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.on_source("CREATE UNIQUE INDEX ON users (lower(email))");
    pipeline.start_replicator();
    for (const char* sink : {"postgres", "stdout"}) {
        CAPTURE(sink);
        const Finished worker = run(pipeline.worker_argv(sink, {"--rules-config", rules.path()}));
        CHECK(worker.code == 2);
        CHECK(worker.out.empty());
        CHECK(worker.err.find("column 'email'") != std::string::npos);
        CHECK(worker.err.find("part of a unique index") != std::string::npos);
    }
    pipeline.stop_replicator();
}

TEST_CASE("a unique index made while changes are followed stops the worker before the next row") {
    const TextFile rules(example_rules);
    Pipeline pipeline;
    make_users(pipeline);
    pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int)");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    pipeline.on_source("INSERT INTO users VALUES (8, 'abc', 20)");
    pipeline.settle();
    pipeline.on_source("CREATE UNIQUE INDEX ON users (email)");
    pipeline.on_source("INSERT INTO users VALUES (9, 'abd', 20)");
    CHECK(pipeline.worker().wait() == 2);
    CHECK(pipeline.worker().err().find("part of a unique index") != std::string::npos);
    CHECK(pipeline.target_scalar("SELECT count(*) FROM users WHERE id IN (8, 9)") == "1");
    pipeline.stop_replicator();
}
