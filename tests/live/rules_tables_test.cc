// Which tables rules and routes hold for: partitions, tables that share a target, names that fit nothing or change.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* mask_email = "tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}";
constexpr const char* users_table = "CREATE TABLE users (id int PRIMARY KEY, email text, age int)";
constexpr const char* users_eu_table = "CREATE TABLE users_eu (id int PRIMARY KEY, email text, age int)";

TextFile routing_file(const std::string& text) { return TextFile(text, "routing.yaml"); }

// Two tables of the source, with a row each, go into one of the target.
struct Merged : Pipeline {
    TextFile routing = routing_file("users_eu: {destination_table: users}");

    Merged() {
        on_both(users_table);
        on_source(users_eu_table);
        on_source("INSERT INTO users VALUES (1, 'a', 1); INSERT INTO users_eu VALUES (2, 'b', 2)");
    }
    void start_routed_worker() {
        start_worker({"--routing-config", routing.path()});
        settle();
    }
};

}  // namespace

TEST_CASE("the rules of a partitioned table hold for its partitions") {
    const TextFile rules(R"(
tables:
  events:
    - {type: transform, column: who, parameters: {type: mask}}
    - {type: filter, column: id, parameters: {operator: lt, value: 100}}
)");
    Pipeline pipeline;
    pipeline.on_both(R"(
        CREATE TABLE events (id int, day date, who text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    )");
    pipeline.on_source("INSERT INTO events VALUES (1, '2024-02-03', 'canary'), (100, '2024-02-03', 'canary')");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    CHECK(pipeline.target_rows("events") == Texts{"(1,2024-02-03,c****y)"});
    pipeline.on_source("INSERT INTO events VALUES (2, '2024-02-04', 'canary'), (101, '2024-02-04', 'canary')");
    const std::string next =
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')";
    pipeline.on_target(next);
    pipeline.on_source(next);
    pipeline.on_source("INSERT INTO events VALUES (3, '2025-02-03', 'canary')");
    pipeline.settle();
    CHECK(pipeline.target_rows("events") ==
          Texts{"(1,2024-02-03,c****y)", "(2,2024-02-04,c****y)", "(3,2025-02-03,c****y)"});
    CHECK(pipeline.worker().err().find("is not replicated") == std::string::npos);
    pipeline.stop();
}

TEST_CASE("the rules and the route of a parent hold for what inherits from it") {
    const TextFile rules(R"(
tables:
  m:
    - {type: transform, column: who, parameters: {type: mask}}
    - {type: filter, column: id, parameters: {operator: lt, value: 100}}
)");
    const TextFile routing = routing_file("m: {destination_table: public.everyone}");
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE m (id int PRIMARY KEY, who text); CREATE SCHEMA chunks;"
        "CREATE TABLE chunks.c1 (PRIMARY KEY (id)) INHERITS (m);"
        "CREATE TABLE chunks.c2 (extra int, PRIMARY KEY (id)) INHERITS (chunks.c1);"
        "INSERT INTO m VALUES (1, 'canary'); INSERT INTO chunks.c1 VALUES (2, 'canary'), (100, 'canary');"
        "INSERT INTO chunks.c2 VALUES (3, 'canary', 7)");
    pipeline.on_target("CREATE TABLE everyone (id int PRIMARY KEY, who text, extra int)");
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,m"});
    pipeline.start_worker({"--rules-config", rules.path(), "--routing-config", routing.path()});
    pipeline.settle();
    CHECK(pipeline.target_rows("everyone") == Texts{"(1,c****y,)", "(2,c****y,)", "(3,c****y,7)"});
    pipeline.on_source(
        "INSERT INTO chunks.c1 VALUES (4, 'canary'), (101, 'canary'); UPDATE chunks.c2 SET who = 'magpie' WHERE id = 3;"
        "DELETE FROM m WHERE id = 2");
    pipeline.settle();
    CHECK(pipeline.target_rows("everyone") == Texts{"(1,c****y,)", "(3,m****e,7)", "(4,c****y,)"});
    // A child that is made later joins, and the table that it is routed to has others' rows: the user's choice.
    pipeline.on_source(
        "CREATE TABLE chunks.c3 (PRIMARY KEY (id)) INHERITS (m);"
        "INSERT INTO chunks.c3 VALUES (5, 'canary'), (102, 'canary')");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "which chunks.c1, chunks.c2, public.m fill as well"));
    pipeline.start_worker(
        {"--rules-config", rules.path(), "--routing-config", routing.path(), "--target-existing-rows", "keep"});
    pipeline.settle();
    CHECK(pipeline.target_rows("everyone") == Texts{"(1,c****y,)", "(3,m****e,7)", "(4,c****y,)", "(5,c****y,)"});
    pipeline.stop();
}

TEST_CASE("a truncate does not take along what a table met in an earlier session has in the target") {
    Merged pipeline;
    pipeline.start_replicator();
    pipeline.start_routed_worker();
    pipeline.stop_worker();
    pipeline.start_routed_worker();
    pipeline.on_source("TRUNCATE users_eu");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "unable to truncate 'public.users': it also holds rows of public.users"));
    CHECK(pipeline.target_rows("users").size() == 2);
    pipeline.stop_replicator();
}

TEST_CASE("a truncate does not take along what a table that left the group has in the target") {
    Merged pipeline;
    pipeline.start_replicator();
    pipeline.start_routed_worker();
    pipeline.stop();
    for (int start = 0; start < 2; ++start) {
        pipeline.start_replicator({"--copy-and-stream", "--tables", "users_eu,settled"});
        pipeline.start_routed_worker();
        if (start == 0) pipeline.stop();
    }
    pipeline.on_source("TRUNCATE users_eu");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "it also holds rows of public.users"));
    CHECK(pipeline.target_rows("users").size() == 2);
    pipeline.stop_replicator();
}

TEST_CASE("replicator and worker say when the tables are too many to be checked at start") {
    NatsServer nats({.extra_config = "max_payload: 65536"});
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    const TextFile rules(mask_email);
    std::string columns;
    for (int i = 0; i < 1000; ++i) columns += ", a_rather_long_name_for_a_column_" + std::to_string(i) + " int";
    pipeline.on_both(users_table);
    pipeline.on_source("CREATE TABLE wide (id int PRIMARY KEY" + columns + ")");
    pipeline.start_replicator({"--stream"});
    pipeline.await_stream();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    CHECK(contains(pipeline.replicator().err(), "do not fit into one message of the NATS server"));
    CHECK(contains(pipeline.worker().err(), "checked only when a table's first row comes"));
    pipeline.stop();
}

TEST_CASE("several tables go into one, each with its own columns") {
    const TextFile routing = routing_file(R"(
users_eu:
  destination_table: people
  column_mappings: [{source: id, destination: person}, {source: email, destination: mail}]
users_us:
  destination_table: people
  column_mappings: [{source: nr, destination: person}, {source: address, destination: mail}]
)");
    const TextFile rules(R"(
tables:
  users_eu: [{type: transform, column: email, parameters: {type: mask}}]
  users_us: [{type: exclude_column, column: ssn}]
)");
    Pipeline pipeline;
    pipeline.on_source(users_eu_table);
    pipeline.on_source("CREATE TABLE users_us (age int, address text, nr int PRIMARY KEY, ssn text)");
    pipeline.on_target("CREATE TABLE people (person int PRIMARY KEY, mail text, age int)");
    pipeline.on_source("INSERT INTO users_eu VALUES (1, 'abc', 10); INSERT INTO users_us VALUES (20, 'def', 2, 'x')");
    pipeline.start_replicator();
    pipeline.start_worker({"--routing-config", routing.path(), "--rules-config", rules.path()});
    pipeline.settle();
    CHECK(pipeline.target_rows("people") == Texts{"(1,a*c,10)", "(2,def,20)"});
    pipeline.on_source(R"(
        INSERT INTO users_eu VALUES (3, 'ghi', 30);
        UPDATE users_us SET nr = 4, address = 'jkl' WHERE nr = 2;
        UPDATE users_eu SET age = 11 WHERE id = 1;
        INSERT INTO users_us VALUES (50, 'mno', 5, 'x');
        DELETE FROM users_us WHERE nr = 5;
    )");
    pipeline.settle();
    CHECK(pipeline.target_rows("people") == Texts{"(1,a*c,11)", "(3,g*i,30)", "(4,jkl,20)"});
    pipeline.on_source("TRUNCATE users_eu, users_us");
    pipeline.settle();
    CHECK(pipeline.target_rows("people").empty());
    pipeline.stop();
}

TEST_CASE("files that do not fit the tables are refused at start, whether rows come or not") {
    Pipeline pipeline;
    pipeline.on_both(users_table);
    pipeline.start_replicator({"--stream"});
    pipeline.await_stream();
    const TextFile wrong_column("tables: {users: [{type: transform, column: mail, parameters: {type: mask}}]}");
    pipeline.start_worker({"--rules-config", wrong_column.path()});
    CHECK(pipeline.worker().wait() == 2);
    CHECK(contains(pipeline.worker().err(), "the table public.users has no column 'mail'"));
    const TextFile wrong_table("tables: {user: [{type: transform, column: email, parameters: {type: mask}}]}");
    pipeline.start_worker({"--rules-config", wrong_table.path()});
    pipeline.settle();
    CHECK(contains(pipeline.worker().err(), "name table 'user', which is not replicated"));
    pipeline.stop_worker();
    // A worker that goes on may have rows of an earlier definition before it.
    pipeline.start_worker({"--rules-config", wrong_column.path()});
    pipeline.settle();
    CHECK(contains(pipeline.worker().err(), "this will stop the worker at the table's next row"));
    pipeline.stop();
}

TEST_CASE("a column that takes the name of one with a rule does not let that one's values through") {
    const TextFile rules(mask_email);
    Pipeline pipeline;
    pipeline.on_both(users_table);
    pipeline.on_target("ALTER TABLE users ADD email_old text");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.on_source("INSERT INTO users VALUES (1, 'canary', 1)");
    pipeline.settle();
    pipeline.on_source("BEGIN; ALTER TABLE users RENAME email TO email_old; ALTER TABLE users ADD email text; COMMIT");
    pipeline.on_source("INSERT INTO users VALUES (2, 'canary', 2)");
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "its column 'email' is now named 'email_old'"));
    CHECK(pipeline.target_rows("users") == Texts{"(1,c****y,1,)"});
    pipeline.stop_replicator();
}
