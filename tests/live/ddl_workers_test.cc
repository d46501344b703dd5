// DDL and workers: one that comes late, two that route and rule differently, and DDL between the rows of a transaction.
#include <doctest/doctest.h>

#include <csignal>
#include <optional>
#include <utility>

#include "tests/support/ddl_state.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

const Texts tracked = {"--copy-and-stream", "--track-ddl"};

constexpr const char* tables =
    "CREATE TABLE t (id int PRIMARY KEY, v text, n int, secret text); CREATE TABLE u (id int PRIMARY KEY, t int "
    "REFERENCES t)";
constexpr const char* rows =
    "INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 50) i; INSERT INTO u SELECT i, i FROM "
    "generate_series(1, 20) i";

// Ten commands, with rows of the tables as they then are.
const Texts ten = {
    "ALTER TABLE t ADD COLUMN at timestamptz DEFAULT now()",
    "INSERT INTO t (id, v) VALUES (101, 'after 1')",
    "ALTER TABLE t RENAME COLUMN v TO name",
    "UPDATE t SET name = name || '!' WHERE id < 10",
    "CREATE TABLE made (id int PRIMARY KEY, t int REFERENCES t, what text DEFAULT 'new')",
    "INSERT INTO made SELECT i, i FROM generate_series(1, 30) i",
    "ALTER TABLE t ALTER n TYPE bigint",
    "UPDATE t SET n = 10000000000 WHERE id = 5",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "ALTER TABLE made ADD COLUMN mood mood NOT NULL DEFAULT 'ok'",
    "ALTER TYPE mood ADD VALUE 'great'",
    "INSERT INTO made VALUES (31, 1, 'x', 'great')",
    "ALTER TABLE u DROP COLUMN t",
    "DELETE FROM u WHERE id = 3",
    "ALTER TABLE made ADD COLUMN code uuid DEFAULT gen_random_uuid()",
    "DELETE FROM made WHERE id = 7",
    "ALTER TABLE u RENAME TO users",
    "INSERT INTO users VALUES (100)",
    "CREATE INDEX made_what ON made (what)",
    "ALTER TABLE t DROP COLUMN at",
    "INSERT INTO t VALUES (102, 'last', 1, 'x')",
};

// A worker of the pipeline's group with a name and a target of its own.
class Second {
   public:
    Second(Pipeline& pipeline, std::string name, const Texts& more = {})
        : name_(std::move(name)), database_(shared_postgres().create_database()), pipeline_(pipeline), more_(more) {}
    void start() {
        Texts argv = pipeline_.worker_argv("postgres", {"--worker-name", name_});
        argv.insert(argv.end(), more_.begin(), more_.end());
        for (std::string& word : argv)
            if (word == pipeline_.target_url()) word = url();
        worker_.emplace(ProcessOptions{.argv = argv});
    }
    void stop() {
        worker_->signal(SIGTERM);
        CHECK(worker_->wait() == 0);
    }
    // Until it has applied all before this LSN. Nothing is looked at before: the worker alters its tables.
    void await(const std::string& lsn) {
        const std::string there = "SELECT to_regclass('pgsluice.progress') IS NOT NULL";
        const std::string past = "SELECT loading_epoch = 0 AND position_lsn >= '" + lsn + "' FROM pgsluice.progress";
        eventually("the second worker is there", [&] {
            return !worker_->running() || (shared_postgres().scalar(database_, there) == "t" &&
                                           shared_postgres().scalar(database_, past) == "t");
        });
    }
    [[nodiscard]] std::string url() const { return shared_postgres().url(database_); }
    [[nodiscard]] const std::string& database() const { return database_; }
    [[nodiscard]] Process& worker() { return *worker_; }
    void sql(const std::string& statements) { shared_postgres().sql(database_, statements); }

   private:
    std::string name_;
    std::string database_;
    Pipeline& pipeline_;
    Texts more_;
    std::optional<Process> worker_;
};

}  // namespace

TEST_CASE("a first worker that comes after ten commands, and a second one that comes after it") {
    Pipeline pipeline;
    pipeline.on_both(tables);
    pipeline.on_source(rows);
    pipeline.start_replicator(tracked);
    pipeline.await_stream();
    for (const std::string& text : ten) pipeline.on_source(text);
    pipeline.start_worker();
    await_same_databases(pipeline);
    pipeline.on_source("ALTER TABLE users ADD COLUMN last int DEFAULT 1");
    await_same_databases(pipeline);

    // Its tables are as they were at the time of the copy.
    Second later(pipeline, "later");
    later.sql(std::string("CREATE TABLE settled (mark int PRIMARY KEY);") + tables);
    later.start();
    const std::string end = pipeline.source_scalar("SELECT pg_current_wal_insert_lsn()");
    pipeline.settle();
    later.await(end);
    INFO(later.worker().err());
    CHECK(ddl_difference(ddl_state(shared_postgres(), pipeline.source_db(), "public"),
                         ddl_state(shared_postgres(), later.database(), "public")) == "");
    later.stop();
    pipeline.stop();
}

TEST_CASE("two workers with routes and rules of their own follow the same commands, and a third one neither") {
    const TextFile routes(
        "t: {source_table: t, destination_table: crm.people, column_mappings: [{source: id, "
        "destination: person_id}]}",
        "routing.yaml");
    const TextFile other("t: {source_table: t, destination_table: public.renamed}", "routing.yaml");
    const TextFile rules(
        "tables: {t: [{type: transform, column: v, parameters: {type: mask}}, "
        "{type: exclude_column, column: secret}]}");
    const Texts crm_files = {"--routing-config", routes.path(), "--rules-config", rules.path()};
    const Texts renamed_files = {"--routing-config", other.path()};
    Pipeline pipeline;
    pipeline.on_both(tables);
    pipeline.on_source(rows);
    Second crm(pipeline, "crm", crm_files);
    crm.sql(
        "CREATE TABLE settled (mark int PRIMARY KEY); CREATE SCHEMA crm; CREATE TABLE crm.people (person_id int "
        "PRIMARY KEY, v text, n int); CREATE TABLE u (id int PRIMARY KEY, t int)");
    Second renamed(pipeline, "renamed", renamed_files);
    renamed.sql(
        "CREATE TABLE settled (mark int PRIMARY KEY); CREATE TABLE renamed (id int PRIMARY KEY, v text, n int, secret "
        "text); "
        "CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES renamed)");
    pipeline.start(tracked);
    crm.start();
    renamed.start();
    pipeline.settle();
    for (const char* text : {
             "ALTER TABLE t ADD COLUMN at timestamptz DEFAULT now(), ALTER secret SET DEFAULT 'canary'",
             "INSERT INTO t (id, v, secret) VALUES (101, 'longer name', 'canary')",
             "ALTER TABLE t RENAME COLUMN n TO amount",
             "UPDATE t SET amount = amount + 1, secret = 'canary 2' WHERE id < 10",
             "ALTER TABLE t ALTER amount TYPE bigint",
             "CREATE INDEX t_amount ON t (amount)",
             "CREATE TABLE made (id int PRIMARY KEY, t int REFERENCES t, what text DEFAULT 'new')",
             "INSERT INTO made SELECT i, i FROM generate_series(1, 30) i",
             "BEGIN; INSERT INTO t (id, v) VALUES (102, 'before'); ALTER TABLE t ADD COLUMN code uuid DEFAULT "
             "gen_random_uuid(); INSERT INTO t (id, v) VALUES (103, 'after'); COMMIT",
             "ALTER TABLE t ADD CHECK (amount > -5), ALTER at SET NOT NULL",
             "DELETE FROM u WHERE id = 3",
             "ALTER TABLE u RENAME TO users",
             "INSERT INTO users VALUES (100)",
             "ALTER TABLE t DROP COLUMN at, ADD COLUMN more int[] DEFAULT '{1,2}'",
             "UPDATE t SET more = more || 3 WHERE id = 101",
         })
        pipeline.on_source(text);
    await_same_databases(pipeline);
    const auto compared = [&](Second& second, Texts more) {
        more.insert(more.end(), {"--source-url", pipeline.source_url(), "--target-url", second.url()});
        Texts argv = {PGSLUICE_BINARY, "compare", "--group", pipeline.group(), "--nats-url", shared_nats().url(0)};
        argv.insert(argv.end(), more.begin(), more.end());
        const Finished done = run(argv);
        INFO(second.worker().err());
        INFO(done.out);
        INFO(done.err);
        CHECK(done.code == 0);
    };
    Texts of_crm = crm_files;
    of_crm.insert(of_crm.end(), {"--worker-name", "crm"});
    compared(crm, of_crm);
    Texts of_renamed = renamed_files;
    of_renamed.insert(of_renamed.end(), {"--worker-name", "renamed"});
    compared(renamed, of_renamed);
    const auto columns = [&](Second& second, const char* table) {
        return shared_postgres().scalar(
            second.database(), std::string("SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY "
                                           "attname) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
                                           "AND attrelid = '") +
                                   table + "'::regclass");
    };
    CHECK(columns(crm, "crm.people") == "amount bigint, code uuid, more integer[], person_id integer, v text");
    CHECK(columns(renamed, "renamed") == "amount bigint, code uuid, id integer, more integer[], secret text, v text");
    CHECK(shared_postgres().scalar(crm.database(), "SELECT count(*) FROM crm.people p WHERE p::text ~ 'canary'") ==
          "0");
    crm.stop();
    renamed.stop();
    pipeline.stop();
}

TEST_CASE("a table is altered in every way between the rows of one transaction") {
    Pipeline pipeline;
    pipeline.on_both(tables);
    pipeline.on_source(rows);
    pipeline.start(tracked);
    pipeline.settle();
    pipeline.on_source(
        "BEGIN; INSERT INTO t VALUES (101, 'old', 1); ALTER TABLE t ADD COLUMN d int NOT NULL DEFAULT 7; "
        "INSERT INTO t VALUES (102, 'two', 2, 's', 20); UPDATE t SET d = 8 WHERE id = 101; "
        "ALTER TABLE t RENAME COLUMN v TO w; INSERT INTO t (id, w) VALUES (103, 'renamed'); "
        "ALTER TABLE t ADD COLUMN v text DEFAULT 'another'; UPDATE t SET v = w WHERE id = 102; "
        "SAVEPOINT s; ALTER TABLE t DROP COLUMN w; DELETE FROM t WHERE id BETWEEN 30 AND 40; ROLLBACK TO s; "
        "ALTER TABLE t ALTER n TYPE bigint; UPDATE t SET n = 30000000000 WHERE id = 103; "
        "ALTER TABLE t DROP COLUMN d; DELETE FROM t WHERE id = 50; ALTER TABLE t RENAME TO t2; "
        "INSERT INTO t2 VALUES (104, 'w', 4, 's', 'v'); ALTER TABLE t2 RENAME TO t; "
        "CREATE TABLE t2 (id int PRIMARY KEY); INSERT INTO t2 VALUES (1); DROP TABLE t2; "
        "TRUNCATE u; ALTER TABLE u DROP COLUMN t, ADD COLUMN x int; INSERT INTO u VALUES (1, 1); COMMIT");
    pipeline.on_source("INSERT INTO t VALUES (105, 'w', 5, 's', 'last')");
    await_same_databases(pipeline);
    CHECK(pipeline.target_rows("(SELECT * FROM t WHERE id > 100)") == Texts{"(101,old,1,,another)", "(102,two,2,s,two)",
                                                                            "(103,renamed,30000000000,,another)",
                                                                            "(104,w,4,s,v)", "(105,w,5,s,last)"});
    pipeline.stop();
}
