// Tables that foreign keys tie to the one that is written are locked with it: no code comes to them between the look at
// them and the end of the transaction.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>

#include "tests/live/hostile_target.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr table() { return make_relation("own", "t", {"id integer*", "v integer"}); }

// Where own.r's keys fire for the worker, which may write to both tables.
struct Tied : Hostile {
    SinkFeed feed;
    std::string writer;

    explicit Tied(const std::string& more = "")
        : Hostile(
              "CREATE TABLE own.t (id int PRIMARY KEY, v int); CREATE TABLE own.r (id int REFERENCES own.t ON DELETE "
              "CASCADE); INSERT INTO own.t VALUES (1, 1), (2, 2); INSERT INTO own.r VALUES (1), (2); " +
              more) {
        writer = as_writer();
        sql(fmt::format("GRANT INSERT, DELETE ON ALL TABLES IN SCHEMA own TO {0}; GRANT SELECT ON secrets TO {0}",
                        writer));
        open();
    }
    Batch& insert(const char* id) { return feed.insert(table(), {text(id), text("1")}).complete(); }
    Batch& remove(const char* id) { return feed.remove(table(), OldRow::key, {text(id), null_value}).complete(); }

    std::string waiting(const std::string& user) {
        return scalar(
            fmt::format("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                        "current_database() AND usename = '{}'",
                        user));
    }
    // Does that once the worker has looked, and waits for a row of own.t.
    void while_it_waits(const std::string& row, Batch& batch, const std::function<void()>& act) {
        sql::Connection other(server.connect(database));
        other.exec("BEGIN; SELECT FROM own.t WHERE id = " + row + " FOR KEY SHARE");
        auto applied = std::async(std::launch::async, [&] { return failure(batch); });
        CHECK(eventually("the worker waits", [&] { return waiting(writer) == "1"; }));
        act();
        other.exec("COMMIT");
        CHECK(applied.get().empty());
    }
    void while_it_waits(const std::string& row, Batch& batch, const std::string& statement_of_mallory) {
        std::future<void> made;
        while_it_waits(row, batch, [&] {
            made = std::async(std::launch::async, [&] { sql("SET ROLE " + mallory + "; " + statement_of_mallory); });
            CHECK(eventually("the statement waits or is done", [&] {
                return waiting("postgres") == "1" ||
                       made.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
            }));
        });
        made.get();
    }
    void check_not_run() { CHECK(rows("SELECT * FROM own.loot").empty()); }
};

constexpr const char* trigger = "CREATE TRIGGER g AFTER DELETE ON own.{} EXECUTE FUNCTION own.grabs()";

}  // namespace

TEST_CASE("code that comes to a table that foreign keys tie to the written one does not run before the next look") {
    for (const bool set_based : {true, false}) {
        CAPTURE(set_based);
        Tied target;
        target.options.set_based = set_based;
        target.open();
        target.sink->apply(target.insert("3"));
        target.while_it_waits("1", target.remove("1"), fmt::format(trigger, "r"));
        target.check_not_run();
        CHECK(target.rows("SELECT id FROM own.r") == Lines{"2"});
        CHECK(contains(target.failure(target.remove("2")), "on 'own.r', trigger 'g' calls own.grabs()"));
        target.check_not_run();
    }
}

TEST_CASE("which tables are tied is asked again where they have changed") {
    Tied target("CREATE TABLE own.q (id int PRIMARY KEY)");
    target.sink->apply(target.insert("3"));
    target.sql("ALTER TABLE own.r RENAME TO s; CREATE TABLE own.r (id int)");
    target.while_it_waits("1", target.remove("1"), fmt::format(trigger, "s"));
    target.check_not_run();
    target.sql("DROP TABLE own.s; ALTER TABLE own.q ADD FOREIGN KEY (id) REFERENCES own.t ON DELETE CASCADE");
    target.while_it_waits("2", target.remove("2"), fmt::format(trigger, "q"));
    target.check_not_run();
    target.sql("DROP TABLE own.q");
    target.sink->apply(target.remove("3"));
    target.check_rows({});
}

TEST_CASE("of tables that foreign keys tie to the written one, those are locked that may be") {
    std::string more =
        "CREATE TABLE own.m (id int PRIMARY KEY); INSERT INTO own.m VALUES (1); ALTER TABLE own.t ADD FOREIGN KEY (v) "
        "REFERENCES own.m NOT VALID; "
        "CREATE TABLE own.s (id int REFERENCES own.t) PARTITION BY LIST (id); CREATE TABLE own.p PARTITION OF own.s "
        "DEFAULT; CREATE TABLE own.c (id int REFERENCES own.t)";
    const auto locked = [](Tied& target) {
        std::string list;
        target.while_it_waits("1", target.remove("1"), [&] {
            list = target.scalar(fmt::format(
                "SELECT string_agg(relation::regclass::text, ' ' ORDER BY relation::regclass::text) FROM pg_locks "
                "WHERE "
                "pid IN (SELECT pid FROM pg_stat_activity WHERE usename = '{}') AND mode = 'RowExclusiveLock' AND "
                "relation::regclass::text LIKE 'own.%' AND relation IN (SELECT oid FROM pg_class WHERE relkind <> 'i')",
                target.writer));
        });
        return list;
    };
    Tied target(more);
    target.sql("REVOKE ALL ON own.c FROM " + target.writer);
    target.sink->apply(target.insert("3"));
    CHECK(locked(target) == "own.m own.p own.r own.s own.t");

    for (int i = 0; i < 60; ++i) more += fmt::format("; CREATE TABLE own.t{} (id int REFERENCES own.t)", i);
    Tied many(more + "; CREATE TABLE own.last (id int REFERENCES own.t ON DELETE CASCADE)");
    const std::string list = locked(many);
    CAPTURE(list);
    CHECK(std::count(list.begin(), list.end(), ' ') == 50);
    CHECK(contains(list, "own.last "));
}
