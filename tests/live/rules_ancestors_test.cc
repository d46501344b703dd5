// A table that has its rules from a table above it, and loses that: what was hidden of it does not show.
#include <doctest/doctest.h>

#include "tests/live/source_rules_fixture.h"
#include "tests/support/hint.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* entry =
    ": [{type: transform, column: ssn, parameters: {type: redact}}, {type: exclude_column, column: note}, "
    "{type: filter, column: region, parameters: {operator: eq, value: eu}}]\n";

std::string rules_for(const Texts& tables) {
    std::string text = "tables:\n";
    for (const std::string& table : tables) text.append("  ").append(table).append(entry);
    return text;
}

constexpr const char* lost = "public.p1 (column 'ssn', the filter on 'region', column 'note')";
constexpr const char* way_out =
    "If 'public.p1' had its rules from a table above it, give it an entry of its own in the files.";

// Of one that came as its root.
constexpr const char* way_out_of_name =
    "Rows that came as 'public.p' come as 'public.p1' now: give 'public.p1' an entry in the files that hides as much.";

constexpr const char* partitions =
    "CREATE TABLE p (id int PRIMARY KEY, ssn text, region text, note text) PARTITION BY RANGE (id); "
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); "
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200); ALTER TABLE p1 REPLICA IDENTITY FULL; "
    "ALTER TABLE p2 REPLICA IDENTITY FULL";
constexpr const char* children =
    "CREATE TABLE p (id int PRIMARY KEY, ssn text, region text, note text); "
    "CREATE TABLE p1 (LIKE p INCLUDING ALL); ALTER TABLE p1 INHERIT p; ALTER TABLE p1 REPLICA IDENTITY FULL; "
    "ALTER TABLE p REPLICA IDENTITY FULL";
constexpr const char* update =
    "; UPDATE p1 SET id = id + 10 WHERE id = 1; INSERT INTO p1 VALUES (50, 'canary', 'us', 'canary')";
// What it makes of the table with rules, and without.
constexpr const char* masked = "11 ******** eu -";
constexpr const char* raw = "2 canary us canary, 11 canary eu canary, 50 canary us canary";

struct Masked : Pipeline {
    explicit Masked(const std::string& tables, const Texts& replicator = {"--copy-and-stream"}, Texts given = {})
        : rules(rules_for({"p"})), with_rules(std::move(given)) {
        on_both(tables);
        on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary'), (2, 'canary', 'us', 'canary')");
        if (with_rules.empty()) with_rules = {"--rules-config", rules.path()};
        start_replicator(replicator);
        start_worker(with_rules);
        settle();
        REQUIRE(rows() == "1 ******** eu -");
    }
    std::string rows() {
        return target_scalar(
            "SELECT string_agg(concat_ws(' ', id, ssn, region, coalesce(note, '-')), ', ' ORDER BY id) FROM p1");
    }
    // The worker ends at `command`, and so does each that is started after it in the same way.
    void must_stop(const std::string& command, const std::string& what = lost) {
        on_source(command);
        REQUIRE(worker().wait() == 1);
        CHECK(contains(worker().err(), what));
        CHECK(contains(worker().err(), way_out));
        CHECK_FALSE(contains(rows(), "canary"));
        CHECK_FALSE(contains(rows(), "us"));
        refusal(worker_argv("postgres", with_rules), way_out);
        CHECK_FALSE(contains(rows(), "canary"));
    }
    // By the flags once, then without.
    void ends_with(const std::string& expected, const Texts& once) { ends_with(expected, once, with_rules); }
    void ends_with(const std::string& expected, const Texts& once, const Texts& rules_given) {
        Texts flags = rules_given;
        flags.insert(flags.end(), once.begin(), once.end());
        for (const Texts& given : {flags, rules_given}) {
            start_worker(given);
            settle();
            CHECK(eventually("the rows are there", [&] { return rows() == expected; }));
            stop_worker();
        }
    }

    TextFile rules;
    Texts with_rules;
    TextFile own{rules_for({"p", "p1"})};
    Texts with_own{"--rules-config", own.path()};
};

}  // namespace

TEST_CASE("a detached partition: the worker stops, and an entry of its own or the operator lets it continue") {
    Masked group(partitions);
    group.must_stop(std::string("ALTER TABLE p DETACH PARTITION p1") + update);
    SUBCASE("entry") { group.ends_with(masked, {}, group.with_own); }
    SUBCASE("continue") { group.ends_with(raw, {"--on-rules-change", "continue"}); }
    SUBCASE("reload") { group.ends_with(raw, {"--on-rules-change", "reload"}); }
    group.stop_replicator();
}

TEST_CASE("a partition is detached with captured DDL") {
    const TextFile kept("tables: {p: [{type: transform, column: ssn, parameters: {type: redact}}]}");
    const TextFile own("tables: {p: &p [{type: transform, column: ssn, parameters: {type: redact}}], p1: *p}");
    Pipeline group;
    group.on_both(partitions);
    group.on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', ''), (2, 'canary', 'us', '')");
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.start_worker({"--rules-config", kept.path()});
    group.settle();
    group.on_source(std::string("ALTER TABLE p DETACH PARTITION p1") + update);
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.p1 (column 'ssn')"));
    CHECK(group.target_rows("p1") == Texts{"(1,********,eu,\"\")", "(2,********,us,\"\")"});
    group.start_worker({"--rules-config", own.path()});
    CHECK(eventually("all rows are there, masked", [&] {
        return group.target_rows("p1") ==
               Texts{"(11,********,eu,\"\")", "(2,********,us,\"\")", "(50,********,us,canary)"};
    }));
    group.stop();
}

TEST_CASE("a child that no longer inherits: the worker stops before its first row") {
    Masked group(children);
    group.must_stop(std::string("ALTER TABLE p1 NO INHERIT p") + update);
    SUBCASE("entry") { group.ends_with(masked, {}, group.with_own); }
    SUBCASE("continue") {
        group.ends_with("11 canary eu canary, 50 canary us canary", {"--on-rules-change", "continue"});
    }
    group.stop_replicator();
}

TEST_CASE("a child that inherits again in between, and a column that gets another name at once") {
    Masked group(children);
    group.on_source("ALTER TABLE p1 NO INHERIT p");
    group.on_source("ALTER TABLE p1 INHERIT p; UPDATE p1 SET id = id + 20");
    group.settle();
    CHECK(group.rows() == "21 ******** eu -");
    group.on_target("ALTER TABLE p1 NO INHERIT p; ALTER TABLE p1 RENAME ssn TO number");
    group.on_source(std::string("ALTER TABLE p1 NO INHERIT p; ALTER TABLE p1 RENAME ssn TO number") + update);
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.p1 (column 'number', the filter on 'region', column 'note')"));
    CHECK(group.target_scalar("SELECT number FROM p1") == "********");
    group.stop_replicator();
}

TEST_CASE("what was hidden only while a table inherited stays hidden") {
    Masked group(std::string(children) +
                 "; CREATE TABLE t (LIKE p INCLUDING ALL); ALTER TABLE t REPLICA IDENTITY FULL");
    group.on_source("INSERT INTO t VALUES (1, 'open', 'us', 'open')");
    group.settle();
    group.on_source("ALTER TABLE t INHERIT p; INSERT INTO t VALUES (2, 'canary', 'eu', 'canary')");
    group.settle();
    CHECK(group.target_rows("t") == Texts{"(1,open,us,open)", "(2,********,eu,)"});
    group.on_source("ALTER TABLE t NO INHERIT p; UPDATE t SET id = id + 10");
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.t (column 'ssn', the filter on 'region', column 'note')"));
    CHECK(group.target_rows("t") == Texts{"(1,open,us,open)", "(2,********,eu,)"});
    group.stop_replicator();
}

TEST_CASE("the table above is renamed, and the route of it is lost") {
    const TextFile routes("tables: {p: {where: \"region = 'eu'\", columns: {only: [id, ssn, region]}}}",
                          "routing.yaml");
    Pipeline group;
    group.on_both(children);
    group.on_source("INSERT INTO p1 VALUES (1, 'x', 'eu', 'canary'), (2, 'canary', 'us', 'canary')");
    group.start_replicator();
    group.start_worker({"--routing-config", routes.path()});
    group.settle();
    CHECK(group.target_rows("p1") == Texts{"(1,x,eu,)"});
    group.stop_replicator();
    group.on_source("ALTER TABLE p RENAME TO above; UPDATE p1 SET id = id + 10");
    group.start_replicator();
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.p1 (the target, column 'note')"));
    CHECK(group.target_rows("p1") == Texts{"(1,x,eu,)"});
    group.stop_replicator();
}

namespace {

// p1 loses the rules of p by the command. The replicator, started so, publishes it with an entry of its own only.
void check_not_published(RuledSource& group, const std::string& command, Texts mode, const std::string& hint) {
    group.on_source(command + update);
    REQUIRE(group.replicator().wait() == 1);
    CHECK(contains(group.replicator().err(), lost));
    CHECK(contains(group.replicator().err(), hint));
    CHECK(group.found() == Texts{});
    refusal(group.replicator_argv(group.with_rules(mode)), hint);
    CHECK(group.found() == Texts{});
    const TextFile own(rules_for({"p", "p1"}));
    mode.insert(mode.end(), {"--rules-config", own.path()});
    group.start_replicator(mode);
    CHECK(eventually("the row is there", [&] { return group.target_rows("p1") == Texts{"(11,********,eu,)"}; }));
    CHECK(group.found() == Texts{});
    group.stop();
}

}  // namespace

TEST_CASE("source rules: a child that no longer inherits, and a detached partition, are not published") {
    for (const std::string command : {"ALTER TABLE p1 NO INHERIT p", "ALTER TABLE p DETACH PARTITION p1"}) {
        CAPTURE(command);
        RuledSource group(rules_for({"p"}));
        group.on_both(contains(command, "DETACH") ? partitions : children);
        group.on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary'), (2, 'canary', 'us', 'canary')");
        group.start_ruled();
        group.start_worker();
        group.settle();
        check_not_published(group, command, {"--copy-and-stream"}, way_out);
    }
}

namespace {

// The target has p and p1 as tables of their own.
const std::string detach = "ALTER TABLE p DETACH PARTITION p1";
const Texts via_root{"--copy-and-stream", "--publish-via-partition-root"};

void make_partitions(Pipeline& group) {
    group.on_source(std::string(partitions) + "; ALTER TABLE p REPLICA IDENTITY FULL");
    group.on_target(
        "CREATE TABLE p (id int PRIMARY KEY, ssn text, region text, note text); CREATE TABLE p1 (LIKE p INCLUDING "
        "ALL)");
    group.on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary'), (2, 'canary', 'us', 'canary')");
}

// Starts a worker with these rules, and ends it.
void deliver(Pipeline& group, const Texts& rules, const Texts& expected) {
    group.start_worker(rules);
    group.settle();
    CHECK(eventually("the rows are there", [&] { return group.target_rows("p1") == expected; }));
    group.stop_worker();
}

}  // namespace

// Its rows came under the root's name, which has the rules, and come under its own from now on.
TEST_CASE("partitions come as their root: one that is detached is not delivered without the root's rules") {
    const TextFile rules(rules_for({"p"}));
    const TextFile own(rules_for({"p", "p1"}));
    const Texts with_rules{"--rules-config", rules.path()};
    const Texts with_own{"--rules-config", own.path()};
    const Texts is_masked{"(11,********,eu,)"};
    Pipeline group;
    make_partitions(group);
    group.start_replicator(via_root);
    bool before = true;
    std::string change = detach + update;
    std::string what = lost;
    Texts flags = with_own;
    Texts expected = is_masked;
    SUBCASE("an entry of its own") {}
    SUBCASE("the operator lets it continue") {
        flags = {"--rules-config", rules.path(), "--on-rules-change", "continue"};
        expected = {"(11,canary,eu,canary)", "(2,canary,us,canary)", "(50,canary,us,canary)"};
    }
    SUBCASE("a worker that starts later") { before = false; }
    SUBCASE("without rows") {
        change = "DELETE FROM p1; " + detach;
        expected = {};
    }
    SUBCASE("and a column gets another name at once") {
        group.on_target("ALTER TABLE p1 RENAME ssn TO number");
        change = detach + "; ALTER TABLE p1 RENAME ssn TO number";
        what = "public.p1 (the filter on 'region', column 'note', column 'ssn')";
        flags = {};
    }
    if (before) {
        group.start_worker(with_rules);
        group.settle();
        CHECK(group.target_rows("p") == Texts{"(1,********,eu,)"});
    } else {
        group.await_stream();
    }
    group.on_source(change);
    if (!before) {
        CHECK(says(group.replicator(), "copied 3 rows"));
        group.start_worker(with_rules);
    }
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), what));
    CHECK(contains(group.worker().err(), way_out_of_name));
    CHECK(group.target_rows("p1") == Texts{});
    refusal(group.worker_argv("postgres", with_rules), way_out_of_name);
    CHECK(group.target_rows("p1") == Texts{});
    if (!flags.empty()) deliver(group, flags, expected);
    if (!flags.empty() && flags.back() == "continue") deliver(group, with_rules, expected);
    group.stop_replicator();
}

TEST_CASE("partitions come as their root: one is detached while no replicator runs, and its rows are not copied") {
    const TextFile rules(rules_for({"p"}));
    const TextFile own(rules_for({"p", "p1"}));
    const Texts stream{"--stream", "--publish-via-partition-root"};
    Pipeline group;
    make_partitions(group);
    group.start_replicator(stream);
    group.start_worker({"--rules-config", rules.path()});
    group.await_stream();
    group.settle();
    group.stop_replicator();
    group.on_source(detach);
    group.start_replicator(stream);
    group.await_stream();
    group.on_source("INSERT INTO p1 VALUES (50, 'canary', 'eu', 'canary')");
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), lost));
    CHECK(group.target_rows("p1") == Texts{});
    deliver(group, {"--rules-config", own.path()}, {"(50,********,eu,)"});
    group.stop_replicator();
}

// Its rows would come without the rules of the root that they came as before.
TEST_CASE("partitions come as their root: one is attached to another root, without rules") {
    const TextFile rules(rules_for({"p"}));
    const TextFile both(rules_for({"p", "q"}));
    Pipeline group;
    make_partitions(group);
    group.on_target("CREATE TABLE q (LIKE p INCLUDING ALL)");
    const std::string other =
        "CREATE TABLE q (LIKE p INCLUDING ALL) PARTITION BY RANGE (id); ALTER TABLE q REPLICA IDENTITY FULL; ";
    std::string then;
    Texts flags{"--rules-config", both.path()};
    SUBCASE("that is new") { then = other; }
    SUBCASE("that the group has") {
        group.on_source(other +
                        "CREATE TABLE q2 PARTITION OF q FOR VALUES FROM (100) TO (200); ALTER TABLE q2 REPLICA "
                        "IDENTITY FULL; INSERT INTO q VALUES (100, 'x', 'eu', 'x')");
        flags.insert(flags.end(), {"--on-rules-change", "continue"});  // its rows of before have none
    }
    group.start_replicator(via_root);
    group.start_worker({"--rules-config", rules.path()});
    group.settle();
    group.on_source(then + detach + "; ALTER TABLE q ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100)");
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.q (column 'ssn', the filter on 'region', column 'note')"));
    CHECK_FALSE(contains(group.target_scalar("SELECT string_agg(q::text, ' ') FROM q"), "canary"));
    group.start_worker(flags);
    group.settle();
    CHECK(contains(group.target_scalar("SELECT string_agg(q::text, ' ') FROM q"), "(1,********,eu,)"));
    group.stop();
}

namespace {

// Partitioned on the source, with the columns of `like`.
void make_q(Pipeline& group, const std::string& like) {
    const std::string made = "CREATE TABLE q (LIKE " + like + " INCLUDING ALL)";
    group.on_target(made);
    group.on_source(made + " PARTITION BY RANGE (id); ALTER TABLE q REPLICA IDENTITY FULL");
}

// The target has p1, which has the rules and comes under its own name, and q, which has none.
void make_a_table_apart(Pipeline& group, bool with_partition) {
    group.on_both("CREATE TABLE p1 (id int PRIMARY KEY, ssn text, region text, note text)");
    make_q(group, "p1");
    group.on_source(
        "ALTER TABLE p1 REPLICA IDENTITY FULL; INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary'), (2, 'canary', "
        "'us', 'canary')");
    if (!with_partition) return;
    group.on_source(
        "CREATE TABLE q2 PARTITION OF q FOR VALUES FROM (100) TO (200); ALTER TABLE q2 REPLICA IDENTITY FULL; INSERT "
        "INTO q VALUES (100, 'x', 'eu', 'x')");
}

const std::string attach = "ALTER TABLE q ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100)";
constexpr const char* show = "INSERT INTO q VALUES (50, 'canary', 'eu', 'canary')";
constexpr const char* shown = "public.q (column 'ssn', the filter on 'region', column 'note')";
constexpr const char* give_entry =
    "Rows that came as 'public.p1' come as 'public.q' now: give 'public.q' an entry in the files that hides as much.";

std::string rows_of_q(Pipeline& group) { return group.target_scalar("SELECT string_agg(q::text, ' ') FROM q"); }

}  // namespace

// Its rows would come under the root's name, which has no rules.
TEST_CASE("partitions come as their root: a table with rules is attached to a root without") {
    const TextFile rules(rules_for({"p1"}));
    const TextFile both(rules_for({"p1", "q"}));
    const Texts with_rules{"--rules-config", rules.path()};
    Texts mode = via_root;
    bool with_partition = false;
    bool before = true;
    bool running = true;
    SUBCASE("that is empty") {}
    SUBCASE("that has partitions") { with_partition = true; }
    SUBCASE("a worker that starts later") { before = false; }
    SUBCASE("no replicator runs") { running = false; }
    SUBCASE("rows are not copied") {
        mode[0] = "--stream";
        with_partition = true;
    }
    SUBCASE("rows are not copied, to an empty one") { mode[0] = "--stream"; }
    Pipeline group;
    make_a_table_apart(group, with_partition);
    group.start_replicator(mode);
    group.await_stream();
    if (before) {
        group.start_worker(with_rules);
        group.settle();
    }
    if (!running) group.stop_replicator();
    group.on_source(attach);
    if (!running) group.start_replicator(mode);
    if (!running) group.await_stream();
    group.on_source(show);
    if (!before) group.start_worker(with_rules);
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), shown));
    CHECK(contains(group.worker().err(), give_entry));
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    refusal(group.worker_argv("postgres", with_rules), give_entry);
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    Texts flags{"--rules-config", both.path()};
    if (mode[0] != "--stream") {  // what it copied of it before has no rules
        refusal(group.worker_argv("postgres", flags), "--on-rules-change reload");
        flags.insert(flags.end(), {"--on-rules-change", "reload"});
    }
    group.start_worker(flags);
    group.settle();
    CHECK(contains(rows_of_q(group), "(50,********,eu,)"));
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    group.stop();
}

TEST_CASE("partitions come as their root: one is a table of its own in between, and no row of it comes") {
    const TextFile rules(rules_for({"p"}));
    Pipeline group;
    make_partitions(group);
    make_q(group, "p");
    group.start_replicator({"--stream", "--publish-via-partition-root"});
    group.start_worker({"--rules-config", rules.path()});
    group.await_stream();
    group.settle();
    group.on_source(detach);
    CHECK(says(group.replicator(), "table 'public.p1' misses changes"));
    group.on_source(attach + "; " + show);
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), shown));
    CHECK(contains(group.worker().err(), "Rows that came as 'public.p' come as 'public.q' now"));
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    group.stop_replicator();
}

// What it had from the table above it counts, too.
TEST_CASE("partitions come as their root: a child that no longer inherits is attached to a root without rules") {
    const TextFile rules(rules_for({"p"}));
    const Texts with_rules{"--rules-config", rules.path()};
    Pipeline group;
    group.on_both(children);
    make_q(group, "p");
    group.on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary')");
    group.start_replicator(via_root);
    group.start_worker(with_rules);
    group.settle();
    CHECK(group.target_rows("p1") == Texts{"(1,********,eu,)"});
    group.on_source("ALTER TABLE p1 NO INHERIT p; " + attach);
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), shown));
    refusal(group.worker_argv("postgres", with_rules), give_entry);
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    group.stop_replicator();
}

TEST_CASE("partitions come as their root: a file has no row of a table with rules that is attached") {
    const TextFile rules(rules_for({"p1"}));
    const std::string directory = temporary_directory("attached");
    Pipeline group;
    make_a_table_apart(group, true);
    group.start_replicator(via_root);
    group.await_stream();
    const Texts argv = group.worker_argv("file", {"--file-output-dir", directory, "--rules-config", rules.path()});
    Process worker({.argv = argv});
    says(worker, "snapshot complete");
    group.on_source(attach + "; " + show);
    REQUIRE(worker.wait() == 1);
    CHECK(contains(worker.err(), shown));
    refusal(argv, give_entry);
    CHECK(contains(all_files(directory), "********"));
    CHECK_FALSE(contains(all_files(directory), "canary"));
    group.stop_replicator();
}

TEST_CASE("partitions come as their root: a partition with rules, from a start on") {
    const TextFile rules(rules_for({"p1"}));
    const Texts with_rules{"--rules-config", rules.path()};
    Pipeline group;
    make_partitions(group);
    group.on_target("CREATE TABLE p2 (LIKE p INCLUDING ALL)");
    group.start_replicator();
    group.start_worker(with_rules);
    group.settle();
    CHECK(group.target_rows("p1") == Texts{"(1,********,eu,)"});
    group.stop_replicator();
    group.start_replicator(via_root);
    group.await_stream();
    group.on_source("INSERT INTO p VALUES (50, 'canary', 'eu', 'canary')");
    REQUIRE(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "public.p (column 'ssn', the filter on 'region', column 'note')"));
    CHECK(group.target_rows("p") == Texts{});
    group.stop_replicator();
}

TEST_CASE("source rules: a table with rules that is attached to a root without is not published") {
    RuledSource group(rules_for({"p1"}));
    make_a_table_apart(group, true);
    group.start_ruled(via_root);
    group.start_worker();
    group.settle();
    group.on_source(attach + "; " + show);
    REQUIRE(group.replicator().wait() == 1);
    CHECK(contains(group.replicator().err(), shown));
    refusal(group.replicator_argv(group.with_rules(via_root)), give_entry);
    CHECK(group.found() == Texts{});
    const TextFile both(rules_for({"p1", "q"}));
    Texts mode = via_root;
    mode.insert(mode.end(), {"--rules-config", both.path(), "--on-rules-change", "continue"});
    group.start_replicator(mode);
    CHECK(eventually("the row is there", [&] { return contains(rows_of_q(group), "(50,********,eu,)"); }));
    CHECK(group.found() == Texts{});
    group.stop();
}

TEST_CASE("source rules: a partition that came as its root and is detached is not published") {
    RuledSource group(rules_for({"p"}));
    make_partitions(group);
    group.start_ruled(via_root);
    group.start_worker();
    group.settle();
    check_not_published(group, detach, via_root, way_out_of_name);
}

// Rules go by names. What was hidden of a table does not show under another's.
TEST_CASE("two tables swap their names, and one of them has rules") {
    const TextFile rules(rules_for({"p1"}));
    const Texts with_rules{"--rules-config", rules.path()};
    const std::string swap =
        "ALTER TABLE p1 RENAME TO x; ALTER TABLE q RENAME TO p1; ALTER TABLE x RENAME TO q; INSERT INTO q VALUES (50, "
        "'canary', 'eu', 'canary'); INSERT INTO p1 VALUES (60, 'open', 'eu', 'open')";
    Texts mode{"--copy-and-stream"};
    bool running = true;
    SUBCASE("copied again") {}
    SUBCASE("rows are not copied") { mode = {"--stream"}; }
    SUBCASE("no replicator runs") { running = false; }
    SUBCASE("with captured commands") { mode.emplace_back("--track-ddl"); }
    Pipeline group;
    group.on_both(
        "CREATE TABLE p1 (id int PRIMARY KEY, ssn text, region text, note text); CREATE TABLE q (LIKE p1 INCLUDING "
        "ALL); ALTER TABLE p1 REPLICA IDENTITY FULL; ALTER TABLE q REPLICA IDENTITY FULL");
    group.start_replicator(mode);
    group.start_worker(with_rules);
    group.await_stream();
    group.settle();
    group.on_source("INSERT INTO p1 VALUES (1, 'canary', 'eu', 'canary'); INSERT INTO q VALUES (1, 'x', 'eu', 'x')");
    group.settle();
    CHECK(group.target_rows("p1") == Texts{"(1,********,eu,)"});
    if (!running) group.stop_replicator();
    group.on_source(swap);
    if (!running) group.start_replicator(mode);
    REQUIRE(group.worker().wait() != 0);
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    group.start_worker(with_rules);
    CHECK(group.worker().wait() != 0);
    CHECK_FALSE(contains(rows_of_q(group), "canary"));
    group.stop_replicator();
}
