// `pgsluice import`: sequences that a column's default uses without owning them follow the rows, too.
#include "tests/live/import_fixture.h"

using namespace pgsluice::test;

TEST_CASE("an import leaves a sequence that no column owns after its rows, as the dump does") {
    ImportPair pair(
        "CREATE SEQUENCE s2; CREATE SEQUENCE shared; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s2')); CREATE "
        "TABLE a (id bigint PRIMARY KEY DEFAULT nextval('shared')); CREATE TABLE b (id bigint PRIMARY KEY DEFAULT "
        "nextval('shared')); CREATE SEQUENCE tens; CREATE TABLE c (id int PRIMARY KEY DEFAULT nextval('tens') * 10); "
        "INSERT INTO t SELECT nextval('s2') FROM generate_series(1, 30); INSERT INTO a SELECT nextval('shared') FROM "
        "generate_series(1, 5); INSERT INTO b SELECT nextval('shared') FROM generate_series(1, 7); INSERT INTO c "
        "VALUES (70)");
    const Finished imported = pair.import({"--dump", pair.dump("dump")});
    REQUIRE_MESSAGE(imported.code == 0, imported.err);
    pair.check_equal();
    CHECK(pair.server().scalar(pair.target, "INSERT INTO t DEFAULT VALUES RETURNING id") == "31");
    CHECK(pair.server().scalar(pair.target, "INSERT INTO a DEFAULT VALUES RETURNING id") == "13");
    CHECK(pair.server().scalar(pair.target, "INSERT INTO b DEFAULT VALUES RETURNING id") == "14");
    // A column of other values says nothing of the sequence's.
    CHECK(pair.server().scalar(pair.target, "SELECT nextval('tens')") == "1");
    CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM pgsluice.sequences") == "0");
}

TEST_CASE("an import sets sequences that no column uses as the dump says, and none back") {
    ImportPair pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE SCHEMA \"Odd\"; CREATE SEQUENCE "
        "invoices;"
        "CREATE SEQUENCE \"Odd\".\"it's\" INCREMENT -2; CREATE SEQUENCE further; CREATE SEQUENCE untouched START 5;"
        "SELECT setval('invoices', 700); SELECT setval('\"Odd\".\"it''s\"', -41, false); SELECT setval('further', 3)");
    pair.server().sql(pair.target, "SELECT setval('further', 90)");
    const Finished imported = pair.import({"--dump", pair.dump("dump")});
    REQUIRE_MESSAGE(imported.code == 0, imported.err);
    CHECK(imported.err.find("sequence public.invoices: 1, now 700") != std::string::npos);
    const auto next = [&](const std::string& name) {
        return pair.server().scalar(pair.target, "SELECT nextval('" + name + "')");
    };
    CHECK(next("invoices") == "701");
    CHECK(next("\"Odd\".\"it''s\"") == "-41");
    CHECK(next("further") == "91");
    CHECK(next("untouched") == "5");
}

TEST_CASE("a sequence that does not take the value of the dump is a warning") {
    ImportPair pair("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s; SELECT setval('s', 7)");
    pair.server().sql(pair.target, "ALTER SEQUENCE s MAXVALUE 5");
    const Finished imported = pair.import({"--dump", pair.dump("dump")});
    CHECK(imported.code == 0);
    CHECK(imported.err.find("sequence public.s stays as it was: ") != std::string::npos);
}
