// The hint that is given with a server's refusal: each is followed to the letter, and the same batch is then applied.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sql/error.h"
#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// "id integer*, v text"
const RelationPtr relation_t = make_relation("public", "t", {"id integer*", "v text"});

Batch& one_row(SinkFeed& feed, const std::string& value = "x") {
    return feed.insert(relation_t, {text("1"), text(value)}).complete();
}

void apply_again(PostgresTarget& target, const std::string& value = "x") {
    target.open();
    SinkFeed feed;
    CHECK(target.failure(one_row(feed, value)) == "");
    target.sink->flush();
    CHECK(target.scalar("SELECT v FROM t") == value);
}

std::string role_of(const PostgresTarget& target) { return "plain_" + target.database; }

}  // namespace

TEST_CASE("a trigger of the target that names its table without a schema") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (id int); "
        "CREATE FUNCTION note(a int, b text) RETURNS void LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (a); "
        "END$$; "
        "CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM public.note(new.id, new.v); "
        "RETURN new; END$$; "
        "CREATE TRIGGER log_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION log_it(); "
        "ALTER TABLE t ENABLE ALWAYS TRIGGER log_it");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find(R"(relation "log" does not exist)") != std::string::npos);
    CAPTURE(hint);
    const std::string function = "public.note(integer,text)";
    REQUIRE(hint.find("ALTER FUNCTION " + function + " SET search_path = ") != std::string::npos);
    target.sql("ALTER FUNCTION " + function + " SET search_path = public");
    apply_again(target);
}

TEST_CASE("a privilege that the role lacks") {
    PostgresTarget target;
    target.as_plain_role("SELECT 1");
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find("permission denied for table t") != std::string::npos);
    CHECK(hint == "Grant the role the privilege on the object that the message names.");
    target.sql("GRANT ALL ON t TO " + role_of(target));
    apply_again(target);
}

TEST_CASE("row security on the target's table") {
    PostgresTarget target;
    target.as_plain_role("SELECT 1");
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT ALL ON t TO " +
        role_of(target));
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find("row-level security") != std::string::npos);
    CAPTURE(hint);
    REQUIRE(hint.find("ALTER ROLE role BYPASSRLS") != std::string::npos);
    target.sql("ALTER ROLE " + role_of(target) + " BYPASSRLS");
    apply_again(target);
}

TEST_CASE("a character that the target's encoding lacks") {
    PostgresTarget target;
    const auto make_database = [&](const std::string& encoding) {
        target.database = fmt::format("{}_{}", target.server.create_database(), encoding);
        target.server.sql("postgres", fmt::format("CREATE DATABASE \"{}\" TEMPLATE template0 ENCODING '{}' LOCALE 'C'",
                                                  target.database, encoding));
        target.options.target = target.server.connect(target.database);
        target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    };
    make_database("LATIN1");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed, "10 €"), &hint)
              .find(R"(in encoding "UTF8" has no equivalent in encoding "LATIN1")") != std::string::npos);
    CAPTURE(hint);
    REQUIRE(hint.find("ENCODING 'UTF8'") != std::string::npos);
    make_database("UTF8");
    apply_again(target, "10 €");
}
