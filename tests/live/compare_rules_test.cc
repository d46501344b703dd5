// compare after rules and routing: what the worker makes of a row is what the target must hold.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

const char* const kRules = R"(
tables:
  users:
    - {type: transform, column: email, parameters: {type: mask}}
    - {type: filter, column: age, parameters: {operator: gte, value: 18}}
    - {type: exclude_column, column: ssn}
)";

const char* const kRoutes = R"(
users:
  source_table: users
  destination_table: crm.customers
  column_mappings: [{source: id, destination: customer_id}]
)";

}  // namespace

TEST_CASE("compare applies rules, filters and routes to the source's rows") {
    const TextFile rules(kRules);
    const TextFile routes(kRoutes, "routing.yaml");
    const std::vector<std::string> files{"--rules-config", rules.path(), "--routing-config", routes.path()};
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE users (id int PRIMARY KEY, ssn text, email text, age int);"
        "ALTER TABLE users REPLICA IDENTITY FULL;"
        "INSERT INTO users SELECT i, 'ssn' || i, 'user' || i || '@example.com', i % 80 FROM generate_series(1, 3000) "
        "i");
    pipeline.on_target(
        "CREATE SCHEMA crm; CREATE TABLE crm.customers (age int, email text, customer_id int PRIMARY KEY)");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.on_source("UPDATE users SET age = age + 1 WHERE id % 3 = 0; DELETE FROM users WHERE id % 100 = 7");
    pipeline.settle();
    const std::string there = pipeline.target_scalar("SELECT count(*) FROM crm.customers");

    Finished done = run_compare(pipeline, files);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(tables_of(done.out) == "crm.customers: equal, " + there + " rows\n");

    pipeline.on_target(
        "UPDATE crm.customers SET email = 'user50@example.com' WHERE customer_id = 50;"
        "DELETE FROM crm.customers WHERE customer_id = 60; INSERT INTO crm.customers VALUES (17, NULL, 5)");
    done = run_compare(pipeline, files);
    CHECK(done.code == 1);
    CHECK(tables_of(done.out) == "crm.customers: 3 rows differ; the source has " + there + " rows, the target " +
                                     there +
                                     " rows\n"
                                     "  (customer_id)=('5'): on the target only\n"
                                     "  (customer_id)=('50'): differs in email\n"
                                     "  (customer_id)=('60'): missing on the target\n");
    auto repairing = files;
    repairing.emplace_back("--repair");
    done = run_compare(pipeline, repairing);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(done.out.find("  3 rows repaired\n") != std::string::npos);
    CHECK(run_compare(pipeline, files).code == 0);
    pipeline.stop();
}

TEST_CASE("rules that are not the worker's are refused, so that a repair cannot write what they hide") {
    const TextFile rules(kRules);
    const TextFile others("tables: {users: [{type: transform, column: email, parameters: {type: redact}}]}");
    const std::vector<std::string> files{"--rules-config", rules.path()};
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE users (id int PRIMARY KEY, ssn text, email text, age int)");
    pipeline.on_source(
        "ALTER TABLE users REPLICA IDENTITY FULL; INSERT INTO users VALUES (1, '078-05-1120', 'ann@example.com', 30)");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.settle();
    const auto hidden = pipeline.target_rows("users");
    const std::vector<std::vector<std::string>> wrong{{"--repair"}, {"--repair", "--rules-config", others.path()}};
    for (const std::vector<std::string>& words : wrong) {
        const Finished refused = run_compare(pipeline, words);
        CHECK(refused.code == 1);
        CHECK(refused.err.find("worker 'postgres' applies other rules than those given: public.users (column") !=
              std::string::npos);
        CHECK(refused.err.find("HINT: Give the --rules-config and --routing-config that the worker runs with.") !=
              std::string::npos);
        CHECK(pipeline.target_rows("users") == hidden);
    }
    CHECK(run_compare(pipeline, files).code == 0);
    pipeline.stop();
}

TEST_CASE("what a route leaves out is no difference") {
    const TextFile routes(R"(
t:
  source_table: t
  operations: [INSERT]
)",
                          "routing.yaml");
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    pipeline.on_source("INSERT INTO t SELECT i, i FROM generate_series(1, 100) i");
    pipeline.start_replicator();
    pipeline.start_worker({"--routing-config", routes.path()});
    pipeline.settle();
    pipeline.on_source("DELETE FROM t WHERE id = 1; UPDATE t SET v = 'new' WHERE id = 2");
    pipeline.settle();
    Finished done = run_compare(pipeline, {"--routing-config", routes.path()});
    INFO(done.out);
    CHECK(done.code == 0);
    pipeline.on_target("DELETE FROM t WHERE id = 3");
    done = run_compare(pipeline, {"--routing-config", routes.path()});
    CHECK(done.code == 1);
    CHECK(done.out.find("public.t: 1 row differs") != std::string::npos);
    CHECK(done.out.find("(id)=('3'): missing on the target") != std::string::npos);
    pipeline.stop();
}

TEST_CASE("a table whose rules depend on the operation is not said to be equal") {
    const TextFile rules("tables: {t: [{type: transform, column: v, operations: [INSERT], parameters: {type: mask}}]}");
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    const Finished done = run_compare(pipeline, {"--rules-config", rules.path()});
    CHECK(done.code == 1);
    CHECK(done.out.find("public.t: not compared: a rule of it holds for some operations only") != std::string::npos);
    pipeline.stop();
}

TEST_CASE("tables that are routed into one are compared with it together") {
    const TextFile routes(R"(
a: {source_table: a, destination_table: both}
b: {source_table: b, destination_table: both}
)",
                          "routing.yaml");
    const std::vector<std::string> files{"--routing-config", routes.path()};
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (v text, id int PRIMARY KEY);"
        "INSERT INTO a SELECT i, i FROM generate_series(1, 50) i; INSERT INTO b SELECT i, i FROM generate_series(51, "
        "90) i");
    pipeline.on_target("CREATE TABLE \"both\" (id int PRIMARY KEY, v text)");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.settle();
    CHECK(tables_of(run_compare(pipeline, files).out) == "public.both: equal, 90 rows\n");
    pipeline.on_target("UPDATE \"both\" SET v = '' WHERE id IN (50, 60)");
    CHECK(tables_of(run_compare(pipeline, files).out) ==
          "public.both: 2 rows differ; the source has 90 rows, the target 90 rows\n"
          "  (id)=('50'): differs in v\n"
          "  (id)=('60'): differs in v\n");
    const Finished repaired = run_compare(pipeline, {"--routing-config", routes.path(), "--tables", "a", "--repair"});
    CHECK_MESSAGE(repaired.code == 0, repaired.err);
    CHECK(contains(repaired.err, "'public.b' is compared, too: it fills 'public.both' together with what was chosen"));
    CHECK(pipeline.target_rows("\"both\"") == pipeline.source_rows("(TABLE a UNION ALL SELECT id, v FROM b)"));
    pipeline.stop();
}

TEST_CASE("of tables that are routed into one, those are compared whose rows cannot be told from the chosen one's") {
    const TextFile routes(R"(
tables:
  a: {to: w.t, columns: {sid: 1, app: x}}
  b: {to: w.t, columns: {sid: 2, app: x}}
  c: {to: w.t, columns: {app: x, sid: 3}}
)",
                          "routing.yaml");
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (LIKE a INCLUDING ALL); CREATE TABLE c (LIKE a INCLUDING "
        "ALL); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2); INSERT INTO c VALUES (1), (2), (3)");
    pipeline.start_replicator();
    pipeline.start_worker(
        {"--target-sync-schema", "--routing-config", routes.path(), "--source-url", pipeline.source_url()});
    pipeline.settle();
    const Finished done = run_compare(pipeline, {"--routing-config", routes.path(), "--tables", "a,b"});
    CHECK(done.out.starts_with("w.t: equal, 3 rows\n"));
    CHECK(!contains(done.err, "is compared, too"));
    pipeline.stop();
}

TEST_CASE("a row whose key was changed is a difference where the route leaves out updates, and is repaired") {
    const auto ends_with = [](const std::string& operations, const std::string& differ, const std::string& rows) {
        CAPTURE(operations);
        const TextFile routes("t: {source_table: t, operations: [" + operations + "]}", "routing.yaml");
        const std::vector<std::string> files{"--routing-config", routes.path()};
        Pipeline pipeline;
        pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v int)");
        pipeline.on_source("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
        pipeline.start_replicator();
        pipeline.start_worker(files);
        pipeline.settle();
        pipeline.on_source("UPDATE t SET id = 20 WHERE id = 2; DELETE FROM t WHERE id = 3");
        pipeline.settle();
        const Finished done = run_compare(pipeline, files);
        CHECK(done.code == (differ.empty() ? 0 : 1));
        CHECK(contains(done.out, differ.empty() ? "public.t: equal" : differ));
        auto repairing = files;
        repairing.emplace_back("--repair");
        must_succeed(run_compare(pipeline, repairing));
        must_succeed(run_compare(pipeline, files));
        CHECK(pipeline.target_scalar("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t") == rows);
        pipeline.on_source("UPDATE t SET id = 30 WHERE id = 20; DELETE FROM t WHERE id = 1");
        pipeline.settle();
        must_succeed(run_compare(pipeline, repairing));
        must_succeed(run_compare(pipeline, files));
        pipeline.stop();
    };
    ends_with("INSERT, DELETE, TRUNCATE", "  (id)=('2'): on the target only\n  (id)=('20'): missing on the target\n",
              "1 20");
    ends_with("INSERT", "public.t: 1 row differs", "1 2 3 20");
    ends_with("INSERT, UPDATE", "", "1 3 20");
}

TEST_CASE("of tables that are routed into one, each has the operations of its own route") {
    const TextFile routes(R"(
tables:
  kept: {to: w.t, columns: {sid: 1}, operations: [INSERT]}
  plain: {to: w.t, columns: {sid: 2}}
)",
                          "routing.yaml");
    const std::vector<std::string> files{"--routing-config", routes.path()};
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE kept (id int PRIMARY KEY, v int); CREATE TABLE plain (LIKE kept INCLUDING ALL);"
        "INSERT INTO kept SELECT i, i FROM generate_series(1, 3) i; INSERT INTO plain TABLE kept");
    pipeline.start_replicator();
    pipeline.start_worker(
        {"--target-sync-schema", "--routing-config", routes.path(), "--source-url", pipeline.source_url()});
    pipeline.settle();
    pipeline.on_source("DELETE FROM kept WHERE id = 1; UPDATE kept SET v = 9 WHERE id = 2");
    pipeline.settle();
    CHECK(run_compare(pipeline, files).code == 0);
    pipeline.on_target("INSERT INTO w.t (sid, id, v) VALUES (2, 7, 7); UPDATE w.t SET v = 8 WHERE sid = 2 AND id = 3");
    const Finished done = run_compare(pipeline, files);
    CHECK(done.code == 1);
    CHECK(contains(done.out, "w.t: 2 rows differ; "));
    CHECK(contains(done.out, "=('2', '7'): on the target only"));
    CHECK(contains(done.out, "=('2', '3'): differs in v"));
    auto repairing = files;
    repairing.emplace_back("--repair");
    must_succeed(run_compare(pipeline, repairing));
    CHECK(pipeline.target_scalar("SELECT string_agg(sid || ':' || id || '=' || v, ' ' ORDER BY sid, id) FROM w.t") ==
          "1:1=1 1:2=2 1:3=3 2:1=1 2:2=2 2:3=3");
    CHECK(run_compare(pipeline, files).code == 0);
    pipeline.stop();
}

TEST_CASE(
    "a table that keeps some tables' deleted rows, which nothing tells from the others, is not said to be equal") {
    const TextFile routes(R"(
kept: {source_table: kept, destination_table: both, operations: [INSERT, UPDATE]}
plain: {source_table: plain, destination_table: both}
)",
                          "routing.yaml");
    const std::vector<std::string> files{"--routing-config", routes.path()};
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE plain (id int PRIMARY KEY)");
    pipeline.on_target("CREATE TABLE \"both\" (id int PRIMARY KEY)");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.settle();
    pipeline.on_target("INSERT INTO \"both\" VALUES (5)");
    const Finished done = run_compare(pipeline, files);
    CHECK(done.code == 1);
    CHECK(contains(done.out, "public.both: not compared: some tables that are routed to it leave deletes out"));
    pipeline.stop();
}

TEST_CASE("compare does not count the blanks that pad a char(n), which rules make values of") {
    const TextFile rules("tables: {codes: [{type: transform, column: code, parameters: {type: mask}}]}");
    const std::vector<std::string> files{"--rules-config", rules.path()};
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE DOMAIN short AS char(8); CREATE TABLE codes (id char(6) PRIMARY KEY, code char(12), other char(9), "
        "more short, text text)");
    pipeline.on_source(
        "INSERT INTO codes VALUES ('abc', 'abcdef', 'x', 'y', 'z '), ('cde', '', '', '', ''), ('fgh', NULL, NULL, "
        "NULL, "
        "NULL)");
    pipeline.start_replicator();
    pipeline.start_worker(files);
    pipeline.settle();
    const Finished equal = run_compare(pipeline, files);
    CHECK_MESSAGE(tables_of(equal.out) == "public.codes: equal, 3 rows\n", equal.out << equal.err);
    pipeline.on_target("UPDATE codes SET code = 'abc', text = 'z' WHERE other = 'x'");
    const Finished differs = run_compare(pipeline, files);
    CHECK(differs.code == 1);
    CHECK(contains(differs.out, "differs in code, text\n"));
    must_succeed(run_compare(pipeline, {"--rules-config", rules.path(), "--repair"}));
    CHECK(tables_of(run_compare(pipeline, files).out) == "public.codes: equal, 3 rows\n");
    pipeline.stop();
}
