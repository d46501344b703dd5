// A table that is renamed without --track-ddl stays in the group only under a name that the group's selection takes:
// its rows would else go to whatever table of the target has that name.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Renamed : Pipeline {
    Renamed() {
        on_both("CREATE SCHEMA own; CREATE TABLE own.r (id int PRIMARY KEY, v int)");
        on_source("INSERT INTO own.r VALUES (1, 1), (2, 2)");
        on_target("CREATE SCHEMA victim; CREATE TABLE victim.accounts (LIKE own.r INCLUDING ALL)");
        on_target("INSERT INTO victim.accounts VALUES (1, 100)");
    }
    void rename() {
        on_source("CREATE SCHEMA victim; ALTER TABLE own.r RENAME TO accounts");
        on_source("ALTER TABLE own.accounts SET SCHEMA victim");
        on_source("UPDATE victim.accounts SET v = 666; INSERT INTO victim.accounts VALUES (3, 333)");
    }
    void rename_back() {
        on_source("ALTER TABLE victim.accounts SET SCHEMA own; ALTER TABLE own.accounts RENAME TO r");
        on_source("UPDATE own.r SET v = v + 1");
    }
    void await_logged(const std::string& text) {
        eventually(
            "the replicator says '" + text + "'", [&] { return contains(replicator().err(), text); },
            std::chrono::seconds(60));
    }
    void await_rows(const std::string& table) {
        eventually(
            "the rows arrive", [&] { return source_sum(table) == target_sum(table); }, std::chrono::seconds(60));
    }
    std::vector<std::string> tables(const std::string& more) {
        return {"--copy-and-stream", "--tables", "settled," + more};
    }
};

}  // namespace

TEST_CASE("a table that is renamed to a name that was not selected leaves, and its rows go nowhere") {
    Renamed group;
    group.always({}, {"--target-existing-rows", "truncate"});
    group.start(group.tables("own.r"));
    group.settle();
    SUBCASE("while the replicator runs, and back") {
        group.rename();
        group.await_logged(
            "table 'own.r' is no longer replicated: it is called 'victim.accounts' now, which is not in "
            "the group; the targets keep the rows they have of it. Name it in --tables to continue with "
            "it");
        group.settle();
        group.rename_back();
    }
    SUBCASE("and back before the replicator looks") {
        group.stop_replicator();
        group.rename();
        group.rename_back();
        group.start_replicator(group.tables("own.r"));
        group.await_logged("for a while it was called 'victim.accounts', which the group's selection does not take");
    }
    SUBCASE("and named") {
        group.rename();
        group.await_logged("table 'own.r' is no longer replicated");
        group.settle();
        CHECK(group.target_rows("victim.accounts") == std::vector<std::string>{"(1,100)"});
        group.stop();
        group.on_target("TRUNCATE victim.accounts");
        group.start(group.tables("victim.accounts"));
        group.await_rows("victim.accounts");
        group.check_equal({"victim.accounts"});
        group.stop();
        return;
    }
    group.await_rows("own.r");
    group.check_equal({"own.r"});
    CHECK(group.target_rows("victim.accounts") == std::vector<std::string>{"(1,100)"});
    group.stop();
}

TEST_CASE("a table that is renamed within what was selected stays, and the log says where its changes go") {
    Renamed group;
    group.on_target("CREATE TABLE own.s (LIKE own.r INCLUDING ALL)");
    group.start({"--copy-and-stream", "--schemas", "own", "--tables", "settled"});
    group.settle();
    group.on_source("ALTER TABLE own.r RENAME TO s; INSERT INTO own.s VALUES (3, 3)");
    group.await_logged("table 'own.r' is called 'own.s' now, and that is where its changes go");
    group.settle();
    CHECK(group.target_rows("own.s") == std::vector<std::string>{"(3,3)"});
    group.stop();
}
