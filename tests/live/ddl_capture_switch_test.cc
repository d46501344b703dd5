// A group changes between --ddl-capture text, which is all that earlier versions knew, and definitions.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

const Texts as_text = {"--copy-and-stream", "--track-ddl", "--ddl-capture", "text"};
const Texts as_definitions = {"--copy-and-stream", "--track-ddl"};

std::string triggers(Pipeline& pipeline) {
    return pipeline.source_scalar("SELECT string_agg(replace(evtname, '" + pipeline.group() +
                                  "', 'g') || ' ' || evtenabled::text, ', ' ORDER BY evtname) FROM pg_event_trigger "
                                  "WHERE evtname LIKE 'pgsluice%'");
}

constexpr const char* three_triggers = "pgsluice_g_ddl A, pgsluice_g_drop A, pgsluice_g_rewrite A";
constexpr const char* two_triggers = "pgsluice_g_ddl O, pgsluice_g_drop O";

struct Group : Pipeline {
    int columns = 0;

    Group() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t VALUES (1, 'a')");
    }
    // A row between two commands, each of which would fail if it ran a second time.
    void alter() {
        const std::string name = "c" + std::to_string(++columns);
        on_source("ALTER TABLE t ADD COLUMN " + name + " int DEFAULT " + std::to_string(columns));
        on_source("INSERT INTO t (id) SELECT max(id) + 1 FROM t");
        on_source("ALTER TABLE t RENAME COLUMN " + name + " TO \"" + name + " new\"");
        on_source("UPDATE t SET v = v || '+'");
    }
    void check() {
        check_equal({"t"});
        CHECK(target_scalar("SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") ==
              std::to_string(columns + 2));
    }
};

}  // namespace

TEST_CASE("from text to definitions and back: what is in the log and in the stream is applied once") {
    Group group;
    group.start(as_text);
    group.settle();
    group.alter();
    group.check();
    CHECK(triggers(group) == two_triggers);

    for (int round = 0; round < 2; ++round) {
        CAPTURE(round);
        group.stop_worker();
        group.alter();  // into the stream, which no worker reads
        group.await_stream();
        group.stop_replicator();
        group.alter();  // into the log, by the triggers that are there
        group.start_replicator(as_definitions);
        group.await_stream();
        CHECK(triggers(group) == three_triggers);
        group.alter();
        group.start_worker();
        group.check();

        group.stop_worker();
        group.alter();
        group.stop_replicator();
        group.alter();
        group.start_replicator(as_text);
        group.await_stream();
        CHECK(triggers(group) == two_triggers);
        group.alter();
        group.start_worker();
        group.check();
    }
    group.stop();
}

TEST_CASE("a transaction that has altered a table before the change and alters it again after it") {
    Group group;
    group.start(as_text);
    group.settle();
    group.stop_replicator();
    sql::Connection session(shared_postgres().connect(group.source_db()));
    session.exec("BEGIN; SET search_path = public");
    session.exec("ALTER TABLE t ADD COLUMN early int DEFAULT 7");
    session.exec("INSERT INTO t VALUES (2, 'b')");
    group.start_replicator(as_definitions);
    CHECK(eventually("the triggers are replaced", [&] { return triggers(group) == three_triggers; }));
    session.exec("INSERT INTO t VALUES (3, 'c', 8)");
    SUBCASE("it ends") { session.exec("COMMIT"); }
    SUBCASE("it is rolled back") { session.exec("ROLLBACK"); }
    group.await_stream();
    group.alter();
    group.check_equal({"t"});
    group.stop();
}
