// Planning a query runs immutable functions of users that indexes and statistics call: not with our rights.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A role that owns a table, with a function that fails where it runs with a superuser's rights.
struct Planned : Pipeline {
    Planned() {
        const std::string role = "hush_" + source_db();
        on_source("CREATE ROLE " + role);
        for (const bool source : {true, false}) {
            const std::string make =
                "CREATE SCHEMA own AUTHORIZATION " + role + "; SET ROLE " + role +
                "; CREATE TABLE own.t (id int PRIMARY KEY, v int, w text); "
                "CREATE FUNCTION own.look() RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF (SELECT rolsuper FROM pg_roles "
                "WHERE rolname = current_user) THEN RAISE 'it ran as %', current_user; END IF; RETURN 1; END $$; "
                "CREATE FUNCTION own.pure(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM own.look(); RETURN $1; END $$";
            source ? on_source(make) : on_target(make);
        }
        as_owner(true, "INSERT INTO own.t SELECT i, i, repeat('x', 1000) FROM generate_series(1, 1000) i");
    }
    void as_owner(bool source, const std::string& statements) {
        const std::string text = "SET ROLE hush_" + source_db() + "; " + statements;
        source ? on_source(text) : on_target(text);
    }
};

constexpr const char* expression = "CREATE INDEX i ON own.t ((v + own.pure(1)))";
constexpr const char* predicate = "CREATE INDEX i ON own.t (v) WHERE v > own.pure(1)";
constexpr const char* statistics = "CREATE STATISTICS own.s ON (v + own.pure(1)), id FROM own.t";

}  // namespace

TEST_CASE("a table whose index or statistics call a user's function is copied without planning a query on it") {
    Planned group;
    SUBCASE("index") { group.as_owner(true, expression); }
    SUBCASE("predicate") { group.as_owner(true, predicate); }
    SUBCASE("statistics") { group.as_owner(true, statistics); }
    group.start_replicator({"--copy-and-stream", "--tables", "settled,own.t"}, {{"PGSLUICE_COPY_RANGE_PAGES", "10"}});
    group.start_worker();
    group.settle();
    CHECK(contains(group.replicator().err(), "table 'own.t' is copied in one piece: "));
    CHECK(contains(group.replicator().err(), "calls own.pure(integer) of 'hush_" + group.source_db() + "'"));
    group.as_owner(true, "DROP INDEX IF EXISTS own.i; DROP STATISTICS IF EXISTS own.s");
    group.check_equal({"own.t"});
    group.stop();
}

TEST_CASE("a table whose index calls a user's function is not compared with our rights") {
    Planned group;
    group.start({"--copy-and-stream", "--tables", "settled,own.t"});
    group.settle();
    CHECK(run_compare(group).code == 0);
    const char* where = "source";
    SUBCASE("on the source") { group.as_owner(true, expression); }
    SUBCASE("on the target") {
        group.as_owner(false, statistics);
        where = "target";
    }
    const Finished compared = run_compare(group);
    CHECK(compared.code == 1);
    CHECK(contains(compared.out, std::string("own.t: not compared: on the ") + where));
    CHECK(contains(compared.out, "calls own.pure(integer) of 'hush_" + group.source_db() + "'"));
    CHECK_FALSE(contains(compared.err, "it ran as"));
    group.stop();
}

TEST_CASE("rows of a table whose index calls a user's function are not sampled with our rights") {
    Planned group;
    group.on_source("CREATE TABLE open (id int PRIMARY KEY, email text)");
    group.as_owner(true, expression);
    const std::string role = "hush_" + group.source_db();
    group.on_source("ALTER ROLE " + role + " LOGIN");
    const auto suggest = [&](const std::string& user, std::vector<std::string> more) {
        std::string url = group.source_url();
        url.replace(url.find("postgres@"), 8, user);
        std::vector<std::string> argv{PGSLUICE_BINARY, "check", "rules", "--suggest", "--source-url", url};
        argv.insert(argv.end(), more.begin(), more.end());
        return run(argv);
    };
    const Finished some = suggest("postgres", {"--all-schemas"});
    CHECK(some.code == 2);
    const std::string why = "index 'i' calls own.pure(integer) of '" + role + "', which a query on it would run with ";
    CHECK(contains(some.err, "no rules are suggested for 'own.t': " + why));
    CHECK_FALSE(contains(some.err, "it ran as"));
    CHECK(contains(some.out, "  # DECIDE: own.t: its rows were not looked at: " + why));
    CHECK(contains(some.out, "column: email"));
    CHECK_FALSE(contains(some.out, "  own.t:"));
    const std::string rules = temporary_directory("rules") + "/rules.yaml";
    std::ofstream(rules) << some.out;
    const Finished checked = run({PGSLUICE_BINARY, "check", "rules", "--rules-config", rules, "--source-url",
                                  group.source_url(), "--all-schemas"},
                                 {{"PGSLUICE_RULES_SECRET", "a long secret of the test"}});
    CHECK(checked.code != 0);
    CHECK(contains(checked.err, "mode is strict, and no rules name the table own.t"));
    const Finished nothing = suggest("postgres", {"--tables", "own.t"});
    CHECK(nothing.code == 2);
    CHECK(contains(nothing.out, "  {}\n"));
    must_succeed(suggest("postgres", {"--all-schemas", "--exclude-tables", "own.t"}));
    must_succeed(suggest(role, {"--tables", "own.t"}));
}

TEST_CASE("check leaks reads a target's tables without running a user's function with our rights") {
    Planned group;
    const std::string rules = temporary_directory("rules") + "/rules.yaml";
    std::ofstream(rules) << "tables: {own.t: [{type: transform, column: w, parameters: {type: redact}}]}";
    const auto leaks = [&](std::vector<std::string> more = {}) {
        std::vector<std::string> argv{PGSLUICE_BINARY,    "check",        "leaks",
                                      "--rules-config",   rules,          "--source-url",
                                      group.source_url(), "--target-url", group.target_url()};
        argv.insert(argv.end(), more.begin(), more.end());
        return run(argv);
    };
    group.as_owner(true, "UPDATE own.t SET w = 'the secret word number ' || id * 7919");
    group.as_owner(false, "INSERT INTO own.t VALUES (1, 1, 'nothing')");
    group.as_owner(false, expression);
    Finished looked = leaks();
    CHECK_MESSAGE(looked.code == 0, looked.out << looked.err);
    CHECK(contains(looked.out, " of 2 tables of the target"));

    const std::string pure = "calls own.pure(integer) of 'hush_" + group.source_db() + "'";
    group.as_owner(false, "ALTER TABLE own.t ADD g text GENERATED ALWAYS AS (w || '!') STORED");
    looked = leaks();
    CHECK(looked.code == 2);
    CHECK(contains(looked.out, "not looked at: own.t: index 'i' " + pure));
    group.as_owner(false, "ALTER TABLE own.t DROP g");
    group.as_owner(false,
                   "CREATE MATERIALIZED VIEW own.m AS SELECT * FROM own.t; "
                   "CREATE INDEX j ON own.m ((v + own.pure(1)))");
    looked = leaks();
    CHECK(looked.code == 2);
    CHECK(contains(looked.out, "not looked at: own.m: index 'j' " + pure));
    CHECK_FALSE(contains(looked.err, "it ran as"));
    group.as_owner(false, "DROP MATERIALIZED VIEW own.m");

    const std::string reader = "reader_" + group.target_db();
    group.on_target("CREATE ROLE " + reader + " LOGIN; GRANT USAGE ON SCHEMA own TO " + reader +
                    "; GRANT SELECT ON own.t TO " + reader + "; ALTER TABLE own.t ENABLE ROW LEVEL SECURITY");
    looked = leaks({"--target-user", reader});
    CHECK(looked.code == 2);
    CHECK(contains(looked.out, "not looked at: own.t: row security hides rows of it from the role"));
    CHECK(leaks().code == 0);
}

TEST_CASE("check leaks looks for values of the source's other tables where one has a user's function") {
    Planned group;
    group.as_owner(true,
                   "UPDATE own.t SET w = 'the secret word number ' || id * 7919; "
                   "CREATE TABLE own.u AS SELECT id, 'another one is ' || id * 7907 AS w FROM own.t");
    group.on_source(
        "CREATE TABLE open (id int PRIMARY KEY, w text); INSERT INTO open SELECT i, 'and this is word ' || "
        "i * 7901 FROM generate_series(1, 100) i");
    group.as_owner(true, std::string(expression) + "; CREATE INDEX j ON own.u ((id + own.pure(1)))");
    const std::string role = "hush_" + group.source_db();
    const auto leaks = [&](const std::string& hidden) {
        const std::string rules = temporary_directory("rules") + "/rules.yaml";
        std::ofstream file(rules);
        file << "tables:\n";
        for (const std::string& table : {"own.t", "own.u", "public.open"})
            if (contains(hidden, table))
                file << "  " << table << ": [{type: transform, column: w, parameters: {type: redact}}]\n";
        file.close();
        return run({PGSLUICE_BINARY, "check", "leaks", "--rules-config", rules, "--all-schemas", "--source-url",
                    group.source_url(), "--target-url", group.target_url()});
    };
    const Finished looked = leaks("own.t own.u public.open");
    INFO(looked.out, looked.err);
    CHECK(looked.code == 2);
    const std::string why =
        " calls own.pure(integer) of '" + role + "', which a query on it would run with our rights\n";
    CHECK(contains(looked.out, "not looked for: own.t.w: index 'i'" + why));
    CHECK(contains(looked.out, "not looked for: own.u.w: index 'j'" + why));
    CHECK(contains(looked.out, "looked for: public.open.w: 100 values\n"));
    CHECK_FALSE(contains(looked.err, "it ran as"));
    const Finished nothing = leaks("own.t own.u");
    CHECK(nothing.code == 2);
    CHECK(contains(nothing.err, "own.u.w: index 'j'"));
    CHECK(contains(nothing.err, "HINT: Connect to the source as a role that the function's owner is a member of."));
}
