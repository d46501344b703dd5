// The hints about rows of the target that are in the way or missing: each is followed to the letter, and the worker
// then works.
#include <doctest/doctest.h>

#include "tests/support/hint.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Flags = std::vector<std::string>;

const Flags emptying{"--target-existing-rows", "truncate"};
const Flags keeping{"--target-existing-rows", "keep"};

struct Rows : Pipeline {
    explicit Rows(const std::string& on_the_target) {
        on_source("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one'), (2, 'two')");
        on_target(on_the_target);
        start_replicator();
    }
    std::string refuses(const Flags& flags, const std::string& part) {
        return refusal(worker_argv("postgres", flags), part);
    }
    void check_rows(const Flags& flags, const std::vector<std::string>& rows) {
        start_worker(flags);
        settle();
        CHECK(target_rows("t") == rows);
        stop();
    }
};

const std::vector<std::string> copied{"(1,one)", "(2,two)"};

}  // namespace

TEST_CASE("a table that holds rows: empty it, truncate, or keep") {
    Rows group("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (2, 'old'), (3, 'own')");
    group.refuses({},
                  "Empty these tables, or choose --target-existing-rows truncate (empties them) or keep (overwrites "
                  "rows of the same key and leaves the others).");
    SUBCASE("empty") {
        group.on_target("TRUNCATE t");
        group.check_rows({}, copied);
    }
    SUBCASE("truncate") { group.check_rows(emptying, copied); }
    SUBCASE("keep") { group.check_rows(keeping, {"(1,one)", "(2,two)", "(3,own)"}); }
}

TEST_CASE("a table without a key that holds rows") {
    Rows group("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (2, 'old')");
    group.refuses(keeping,
                  "Empty these tables, or give them the source's primary key, or choose --target-existing-rows "
                  "truncate (empties all tables of the copy).");
    SUBCASE("empty") {
        group.on_target("TRUNCATE t");
        group.check_rows(keeping, copied);
    }
    SUBCASE("a key") {
        group.on_target("ALTER TABLE t ADD PRIMARY KEY (id)");
        group.check_rows(keeping, copied);
    }
    SUBCASE("truncate") { group.check_rows(emptying, copied); }
}

TEST_CASE("a table without a key that several tables of the source fill") {
    const TextFile routing("{a: {destination_table: merged}, b: {destination_table: merged}}", "routing.yaml");
    Pipeline group;
    group.on_source(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b (id int PRIMARY KEY); INSERT "
        "INTO b VALUES (11)");
    group.on_target("CREATE TABLE merged (id int)");
    const auto flags = [&](Flags more) {
        more.insert(more.end(), {"--routing-config", routing.path()});
        return more;
    };
    group.start_replicator();
    group.start_worker(flags({}));
    group.settle();
    group.stop_worker();
    run_said(group, "pgsluice resnapshot --tables a");
    refusal(group.worker_argv("postgres", flags(keeping)),
            "Give it the source's primary key, and start the worker again.");
    group.on_target("ALTER TABLE merged ADD PRIMARY KEY (id)");
    group.start_worker(flags(keeping));
    group.settle();
    CHECK(group.target_rows("merged") == std::vector<std::string>{"(1)", "(11)"});
    group.stop();
}

TEST_CASE("an update of a row that the target does not have") {
    Rows group("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_both("ALTER TABLE t ADD n int");
    group.on_source("ALTER TABLE t ALTER v SET STORAGE EXTERNAL; UPDATE t SET v = repeat('x', 10000) WHERE id = 1");
    group.start_worker();
    group.settle();
    group.on_target("DELETE FROM t WHERE id = 1");
    group.on_source("UPDATE t SET n = 7 WHERE id = 1");
    refusal(group.worker(),
            "Copy the row from the source, or start the worker with --on-error dead-letter; pgsluice resnapshot "
            "--tables can then copy the whole table again.");
    SUBCASE("copied by hand") {
        group.on_target("INSERT INTO t VALUES (1, repeat('x', 10000), 6)");
        group.start_worker();
    }
    SUBCASE("parked, and the table copied again") {
        group.start_worker({"--on-error", "dead-letter"});
        group.settle();
        group.stop_worker();
        group.start_worker(emptying);
        run_said(group, "pgsluice resnapshot --tables t");
        CHECK(eventually("the table is copied", [&] { return group.target_scalar("SELECT count(*) FROM t") == "2"; }));
    }
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("an update of a row that a filter left out") {
    const TextFile rules("tables: {t: [{type: filter, column: n, parameters: {operator: gt, value: 5}}]}");
    Rows group("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_both("ALTER TABLE t ADD n int");
    group.on_source("ALTER TABLE t ALTER v SET STORAGE EXTERNAL; UPDATE t SET v = repeat('x', 10000), n = 1");
    const Flags with_rules{"--rules-config", rules.path()};
    group.start_worker(with_rules);
    group.settle();
    group.on_source("UPDATE t SET n = 7 WHERE id = 1");
    const std::string hint = refusal(group.worker(), "A filter probably left the row out.");
    CHECK(
        contains(hint, "For this one, copy the row from the source, or start the worker with --on-error dead-letter."));
    SUBCASE("copied by hand") {
        group.on_target("INSERT INTO t VALUES (1, repeat('x', 10000), 7)");
        group.start_worker(with_rules);
    }
    SUBCASE("parked; with the whole old row the next one comes") {
        group.on_source("ALTER TABLE t REPLICA IDENTITY FULL");
        Flags parks = with_rules;
        parks.insert(parks.end(), {"--on-error", "dead-letter"});
        group.start_worker(parks);
        group.settle();
        CHECK(group.target_scalar("SELECT count(*) FROM t") == "0");
        group.on_source("UPDATE t SET n = 1 WHERE id = 1; UPDATE t SET n = 7 WHERE id = 1");
    }
    group.settle();
    CHECK(group.target_scalar("SELECT n FROM t WHERE length(v) = 10000") == "7");
    group.stop();
}

TEST_CASE("a truncate that would take along another table's rows") {
    const auto routes = [](const std::string& operations) {
        return TextFile("{a: {destination_table: merged" + operations + "}, b: {destination_table: merged}}",
                        "routing.yaml");
    };
    const TextFile all = routes("");
    const TextFile no_truncate = routes(", operations: [INSERT, UPDATE, DELETE]");
    Pipeline group;
    group.on_source(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b (id int PRIMARY KEY); INSERT "
        "INTO b VALUES (11)");
    group.on_target("CREATE TABLE merged (id int PRIMARY KEY)");
    group.start_replicator();
    group.start_worker({"--routing-config", all.path()});
    group.settle();
    group.on_source("TRUNCATE a");
    refusal(group.worker(),
            "List the route's operations without TRUNCATE, delete the rows in the target by hand, and start the worker "
            "with --on-rules-change continue.");
    group.on_target("DELETE FROM merged WHERE id < 10");
    group.start_worker({"--routing-config", no_truncate.path(), "--on-rules-change", "continue"});
    group.on_source("INSERT INTO a VALUES (2)");
    group.settle();
    CHECK(group.target_rows("merged") == std::vector<std::string>{"(11)", "(2)"});
    group.stop();
}
