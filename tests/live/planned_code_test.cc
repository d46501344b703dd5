// Planning a query runs immutable functions of users that indexes and statistics call: not with our rights.
#include <doctest/doctest.h>

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
