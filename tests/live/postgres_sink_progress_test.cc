// Data and progress are committed together, by one worker only.
#include <doctest/doctest.h>

#include <future>

#include "sql/replication.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr numbers() { return make_relation("public", "n", {"id integer*"}); }
constexpr const char* create_numbers = "CREATE TABLE n (id int PRIMARY KEY)";

}  // namespace

TEST_CASE("a transaction that comes in pieces shows only as a whole") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(numbers(), {text("1")}).complete());
    target.sink->apply(feed.insert(numbers(), {text("2")}).piece());
    target.sink->apply(feed.insert(numbers(), {text("3")}).piece());
    CHECK(target.scalar("SELECT count(*) FROM n") == "1");
    target.sink->apply(feed.insert(numbers(), {text("4")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM n") == "4");
    SUBCASE("and is rolled back when the end never comes") {
        target.sink->apply(feed.insert(numbers(), {text("5")}).piece());
        target.sink->close();
        CHECK(target.scalar("SELECT count(*) FROM n") == "4");
    }
    SUBCASE("or does not come in time") {
        target.options.incomplete_timeout_ms = 0;
        target.open();
        target.sink->apply(feed.insert(numbers(), {text("5")}).piece());
        try {
            target.sink->flush();
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.action() == Action::retry);
        }
        CHECK(target.scalar("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname "
                            "= current_database()") == "0");
    }
}

TEST_CASE("an incomplete transaction that another session waits for is rolled back soon") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.options.incomplete_polite_ms = 0;
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(numbers(), {text("1")}).piece());
    target.sink->flush();  // nobody waits
    sql::ReplicationConnection other(shared_postgres().connect(target.database));
    const std::string slot = "waits_" + target.database;
    const auto made = std::async(
        std::launch::async, [&] { other.create_slot(slot, sql::SlotLife::temporary, sql::SlotSnapshot::nothing); });
    CHECK(eventually("it is rolled back", [&] {
        try {
            target.sink->flush();
        } catch (const Error& error) {
            return contains(error.what(), "and another session waits for it");
        }
        return false;
    }));
    made.wait();
}

TEST_CASE("a second worker of the same name is kept out and told by whom") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.open();
    target.options.lock_wait_ms = 0;
    auto second = make_postgres_sink(target.options, [](LogLevel, std::string_view) {}, {});
    const std::string pid = target.scalar(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT "
        "oid FROM pg_database WHERE datname = current_database())");
    try {
        second->open();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("held by pid " + pid) != std::string::npos);
    }
    auto options = target.options;
    options.worker = "other";
    CHECK_FALSE(make_postgres_sink(options, [](LogLevel, std::string_view) {}, {})->open().has_value());
}

TEST_CASE("a role without the right to create a schema needs the one that was created for it") {
    PostgresTarget target;
    const std::string role = "owner_" + target.database;
    target.sql("CREATE ROLE " + role + " LOGIN");
    target.options.target.user = role;
    target.options.target.url.clear();
    std::string hint;
    try {
        target.open();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("unable to create schema 'pgsluice' on the target") == 0);
        hint = error.hint();
    }
    SUBCASE("the schema") { target.sql(said(hint, "CREATE SCHEMA pgsluice AUTHORIZATION ")); }
    SUBCASE("the right to make it") { target.sql(said(hint, "GRANT CREATE ON DATABASE ", ";")); }
    CHECK_FALSE(target.open());
}

TEST_CASE("a worker whose lock was lost cannot write") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(numbers(), {text("1")}).complete());
    target.sql("UPDATE pgsluice.progress SET owner = gen_random_uuid()");
    try {
        target.sink->apply(feed.insert(numbers(), {text("2")}).complete());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(std::string(error.what()).find("a second worker wrote") != std::string::npos);
    }
    target.sink.reset();
    CHECK(target.scalar("SELECT count(*) FROM n") == "1");
}

TEST_CASE("a killed backend is a reason to try again, and nothing is half applied") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.open();
    SinkFeed feed;
    auto& first = feed.insert(numbers(), {text("1")}).complete();
    target.sink->apply(first);
    target.sink->apply(feed.insert(numbers(), {text("2")}).piece());
    target.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgsluice' AND datname = "
        "current_database() AND pid <> pg_backend_pid()");
    try {
        target.sink->apply(feed.insert(numbers(), {text("3")}).complete());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
    }
    CHECK(target.open()->checkpoint == first.upto);
    CHECK(target.scalar("SELECT count(*) FROM n") == "1");
}

TEST_CASE("progress without changes is written when there is time") {
    PostgresTarget target;
    target.sql(create_numbers);
    target.open();
    SinkFeed feed;
    auto& batch = feed.complete();
    target.sink->apply(batch);
    target.sink->close();
    CHECK(target.open()->checkpoint == batch.upto);
}

TEST_CASE("without synchronous commit the durable checkpoint follows the flushed WAL") {
    PostgresTarget target;
    target.sql(create_numbers);
    SUBCASE("by option") { target.options.synchronous_commit = false; }
    SUBCASE("by the database's setting") {
        target.sql("ALTER DATABASE " + target.database + " SET synchronous_commit = off");
    }
    target.open();
    SinkFeed feed;
    auto& batch = feed.insert(numbers(), {text("1")}).complete();
    target.sink->apply(batch);
    CHECK(target.sink->durable() != batch.upto);
    CHECK(eventually("the WAL is flushed", [&] {
        target.sink->flush();
        return target.sink->durable() == batch.upto;
    }));
}

TEST_CASE("a role that may not set session_replication_role defers constraints and says so") {
    PostgresTarget target;
    const std::string role = "plain_" + target.database;
    target.sql("CREATE ROLE " + role + " LOGIN; GRANT ALL ON DATABASE " + target.database + " TO " + role +
               "; GRANT ALL ON SCHEMA public TO " + role);
    target.sql(
        "SET ROLE " + role +
        "; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE)");
    target.options.target.user = role;
    target.options.target.url.clear();
    target.open();
    CHECK(target.log.front().find("may not set session_replication_role") != std::string::npos);
    const auto a = make_relation("public", "a", {"id integer*"});
    const auto b = make_relation("public", "b", {"id integer*", "a integer"});
    SinkFeed feed;
    target.sink->apply(feed.insert(b, {text("1"), text("1")}).insert(a, {text("1")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM b") == "1");
    target.options.disable_foreign_keys = true;
    CHECK_THROWS_AS(target.open(), Error);
}
