// What went wrong while the text of commands travelled, mostly in silence: each once, from end to end.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl"};

// Changes that find rows by a column that the source has filled.
void check_key(const std::string& adds, const std::string& deletes) {
    Pipeline group;
    group.on_both("CREATE TABLE log (v text); ALTER TABLE log REPLICA IDENTITY FULL");
    group.on_source("INSERT INTO log SELECT 'v' || i FROM generate_series(1, 20) i");
    std::vector<std::string> words = tracked;
    words.insert(words.end(), {"--tables", "log,settled"});
    group.start(words);
    group.settle();
    group.on_source("DELETE FROM log WHERE v IN ('v2', 'v5', 'v7'); UPDATE log SET v = 'last' WHERE v = 'v1'");
    group.on_source(adds);
    group.on_source("ALTER TABLE log REPLICA IDENTITY DEFAULT");
    group.on_source(deletes + "; INSERT INTO log (v) VALUES ('new')");
    await_same_databases(group);
    group.stop();
}

}  // namespace

TEST_CASE("a key that the source fills for rows that are there") {
    SUBCASE("a serial") { check_key("ALTER TABLE log ADD id bigserial PRIMARY KEY", "DELETE FROM log WHERE id = 9"); }
    SUBCASE("a random one") {
        check_key("ALTER TABLE log ADD u uuid DEFAULT gen_random_uuid(); ALTER TABLE log ADD PRIMARY KEY (u)",
                  "DELETE FROM log WHERE u = (SELECT max(u::text)::uuid FROM log)");
    }
}

TEST_CASE("values that become text under a session's settings") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, b bytea, i interval, d date)");
    group.on_source("INSERT INTO t VALUES (1, '\\x00ff41', '1 year 2 days 03:04', '2020-02-01')");
    group.start(tracked);
    group.settle();
    group.on_source(
        "SET bytea_output = 'escape'; SET IntervalStyle = 'sql_standard'; SET DateStyle = 'SQL, DMY'; "
        "ALTER TABLE t ALTER b TYPE text, ALTER i TYPE text, ALTER d TYPE text");
    await_same_databases(group);
    CHECK(group.target_rows("t") == std::vector<std::string>{R"((1,"\\000\\377A","+1-0 +2 +3:04:00",01/02/2020))"});
    group.stop();
}

TEST_CASE("names are those of the source's session, also where the target has others") {
    Pipeline group;
    const std::string alice = "alice_" + group.group();
    group.on_source("CREATE ROLE " + alice);
    group.on_both("CREATE SCHEMA " + alice + "; CREATE TABLE " + alice +
                  ".t (id int PRIMARY KEY, v text); CREATE TABLE public.t (id int PRIMARY KEY, v text)");
    group.on_source("ALTER SCHEMA " + alice + " OWNER TO " + alice + "; ALTER TABLE " + alice + ".t OWNER TO " + alice);
    group.on_target("CREATE SCHEMA own; CREATE TABLE own.t (id int PRIMARY KEY, v text)");
    group.start_replicator({"--copy-and-stream", "--track-ddl", "--all-schemas"});
    group.start_worker();
    group.settle();
    group.on_source("SET ROLE " + alice + "; SET search_path = own, \"$user\", public; ALTER TABLE t DROP COLUMN v");
    group.settle();
    const auto columns = [&](const std::string& table) {
        return group.target_scalar("SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = '" + table +
                                   "'::regclass AND attnum > 0 AND NOT attisdropped");
    };
    CHECK(columns(alice + ".t") == "id");
    CHECK(columns("public.t") == "id,v");
    CHECK(columns("own.t") == "id,v");
    group.stop();
}

TEST_CASE("event triggers of the source's own that run commands") {
    Pipeline group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE history (id int PRIMARY KEY)");
    group.on_source("INSERT INTO t VALUES (1, 10)");
    group.start(tracked);
    group.settle();
    group.on_source(
        "CREATE FUNCTION more() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF current_query() ~ 'USING' AND NOT "
        "EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'history'::regclass AND attname = 'noted') THEN ALTER TABLE "
        "history ADD COLUMN noted int DEFAULT 3; END IF; END$$; CREATE EVENT TRIGGER a_more ON ddl_command_end EXECUTE "
        "FUNCTION more(); CREATE EVENT TRIGGER z_more ON ddl_command_end EXECUTE FUNCTION more()");
    group.on_source("ALTER TABLE t ALTER v TYPE bigint USING v * 100");
    await_same_databases(group);
    CHECK(group.target_rows("t") == std::vector<std::string>{"(1,1000)"});
    group.stop();
}

TEST_CASE("a table that only the target has is not dropped with others of a command") {
    Pipeline group;
    group.on_both("CREATE TABLE mine (id int PRIMARY KEY)");
    group.on_target("CREATE TABLE local_only (id int PRIMARY KEY)");
    group.start(tracked);
    group.settle();
    group.on_source("DROP TABLE IF EXISTS no_such, local_only, mine");
    group.settle();
    CHECK(group.target_scalar("SELECT to_regclass('mine') IS NULL AND to_regclass('local_only') IS NOT NULL") == "t");
    group.stop();
}

TEST_CASE("an extension, and what needs it") {
    Pipeline group;
    group.start(tracked);
    group.settle();
    group.on_source(
        "CREATE EXTENSION btree_gist; CREATE TABLE r (id int PRIMARY KEY, n int, EXCLUDE USING gist (n WITH =)); "
        "INSERT "
        "INTO r VALUES (1, 2)");
    await_same_databases(group);
    CHECK(group.target_scalar("SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'") == "1");
    group.stop();
}

TEST_CASE("a chain: what a worker has altered travels on") {
    Pipeline first;
    Pipeline second(shared_servers(), {first.target_db(), shared_servers().target.create_database()});
    first.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    second.on_target("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE settled (mark int PRIMARY KEY)");
    first.start(tracked);
    first.settle();
    second.start(tracked);
    second.await_stream();
    first.on_source("ALTER TABLE t ADD COLUMN n int DEFAULT 5");
    first.on_source("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO t VALUES (1, 'one', 1)");
    first.settle();
    CHECK(eventually("the last of the chain has it", [&] {
        return second.target_scalar("SELECT to_regclass('u') IS NOT NULL") == "t" &&
               second.target_rows("t") == std::vector<std::string>{"(1,one,1)"};
    }));
    second.stop();
    first.stop();
}
