// A worker that stops at a row because of its table has applied all that was committed before: so a column can be
// renamed by hand, on either side first.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

const char* const rename_column = "ALTER TABLE users RENAME email TO mail";

// Rows of both names that come in one batch.
struct Renamed : Pipeline {
    Renamed() {
        on_both("CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE other (id int PRIMARY KEY)");
        start();
        settle();
        stop_worker();
        on_source("INSERT INTO users VALUES (1, 'old'), (2, 'old')");
        on_source("INSERT INTO other VALUES (1)");
        on_source("UPDATE users SET email = 'older' WHERE id = 2");
    }
    void rename_on_source() {
        on_source(rename_column);
        on_source("INSERT INTO users VALUES (3, 'new')");
        on_source("INSERT INTO other VALUES (2)");
        on_source("UPDATE users SET mail = 'newer' WHERE id = 1");
    }
    void check_stops(const std::string& column, std::vector<std::string> more = {}) {
        start_worker(std::move(more));
        CHECK(worker().wait(std::chrono::seconds(60)) == 1);
        CHECK(contains(worker().err(), "has no column '" + column + "'"));
    }
    std::string users() { return target_scalar("SELECT string_agg(u::text, ' ' ORDER BY id) FROM users u"); }
    void check_continues() {
        start_worker();
        check_equal({"users", "other"});
        stop();
    }
};

}  // namespace

TEST_CASE("a column that is renamed on the source first") {
    Renamed group;
    group.rename_on_source();
    group.check_stops("mail");
    CHECK(group.users() == "(1,old) (2,older)");
    CHECK(group.target_scalar("SELECT count(*) FROM other") == "1");
    group.on_target(rename_column);
    group.check_continues();
}

TEST_CASE("a column that is renamed on the target first") {
    Renamed group;
    group.on_target(rename_column);
    group.check_stops("email");
    CHECK(group.users().empty());
    group.rename_on_source();
    group.check_stops("email");
    group.on_target("ALTER TABLE users RENAME mail TO email");
    group.check_stops("mail");
    CHECK(group.users() == "(1,old) (2,older)");
    group.on_target(rename_column);
    group.check_continues();
}

TEST_CASE("a column with a rule that is renamed") {
    const std::string mask = "parameters: {type: mask}}";
    const TextFile before("tables: {users: [{type: transform, column: email, " + mask + "]}");
    const TextFile now("tables: {users: [{type: transform, column: mail, " + mask + "]}");
    Renamed group;
    group.rename_on_source();
    group.start_worker({"--rules-config", before.path(), "--on-rules-change", "continue"});
    CHECK(group.worker().wait(std::chrono::seconds(60)) == 2);
    CHECK(contains(group.worker().err(), "the table public.users has no column 'email'"));
    CHECK(group.users() == "(1,o*d) (2,o***r)");
    group.on_target(rename_column);
    group.start_worker({"--rules-config", now.path(), "--on-rules-change", "continue"});
    group.settle();
    CHECK(group.users() == "(1,n***r) (2,o***r) (3,n*w)");
    group.stop();
}

TEST_CASE("the sink applies whole transactions up to the one that it cannot plan") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, a text)");
    target.open();
    const auto before = make_relation("public", "t", {"id integer*", "a text"});
    const auto after = make_relation("public", "t", {"id integer*", "b text"});
    SinkFeed feed;
    const auto insert = [&](const RelationPtr& table, const char* id) { feed.insert(table, {text(id), text("x")}); };
    const auto ids = [&] { return target.scalar("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t"); };
    bool piece = false;
    SUBCASE("in one batch") {}
    SUBCASE("the last of them began in an earlier batch") { piece = true; }
    insert(before, "1");
    feed.next_transaction();
    insert(before, "2");
    if (piece) {
        target.sink->apply(feed.piece());
        CHECK(ids().empty());
    }
    insert(before, "3");
    feed.next_transaction();
    insert(before, "4");
    insert(after, "5");
    CHECK(contains(target.failure(feed.complete()), "no column 'b'"));
    CHECK(ids() == "1 2 3");
    const auto state = target.open();
    REQUIRE(state);
    CHECK(state->checkpoint.position.ordinal == 2);
    feed.resume(state->checkpoint);
    target.sql("ALTER TABLE t RENAME a TO b");
    insert(after, "4");
    CHECK(target.failure(feed.complete()).empty());
    CHECK(ids() == "1 2 3 4");
}

TEST_CASE("a transaction of which the last batch held all rows is applied before the one that cannot be planned") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY)");
    target.open();
    const auto table = make_relation("public", "t", {"id integer*"});
    SinkFeed feed;
    target.sink->apply(feed.insert(table, {text("1")}).piece());
    feed.next_transaction();
    feed.insert(make_relation("public", "none", {"id integer*"}), {text("1")});
    CHECK(contains(target.failure(feed.complete()), "none"));
    CHECK(target.scalar("SELECT count(*) FROM t") == "1");
    const auto state = target.open();
    REQUIRE(state);
    CHECK(state->checkpoint.position.ordinal == 1);
}
