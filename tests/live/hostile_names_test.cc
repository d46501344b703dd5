// Functions and operators of a user that are found before PostgreSQL's own along the database's search_path: none of
// our sessions, on the source or on the target, calls them.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// Each fails in every session but the tests' own.
std::string make_traps(const std::string& database) {
    std::string statements = "ALTER DATABASE " + database +
                             " SET search_path = public, pg_catalog;"
                             "CREATE FUNCTION public.trap() RETURNS void LANGUAGE plpgsql AS $$BEGIN IF "
                             "pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.<>) 'test' THEN RAISE "
                             "EXCEPTION 'trapped'; END IF; END$$;";
    const auto trap = [&](const std::string& signature, const std::string& returns, const std::string& result) {
        statements += "CREATE FUNCTION public." + signature + " RETURNS " + returns +
                      " LANGUAGE plpgsql AS $$BEGIN PERFORM public.trap(); RETURN " + result + "; END$$;";
    };
    trap("lower(text)", "text", "pg_catalog.lower($1)");
    trap("to_regclass(text)", "regclass", "pg_catalog.to_regclass($1)");
    trap("hashtextextended(text, bigint)", "bigint", "pg_catalog.hashtextextended($1, $2)");
    trap("current_setting(text)", "text", "pg_catalog.current_setting($1)");
    trap("pg_try_advisory_lock(bigint)", "bool", "pg_catalog.pg_try_advisory_lock($1)");
    trap("pg_try_advisory_lock(int, int)", "bool", "pg_catalog.pg_try_advisory_lock($1, $2)");
    trap("pg_get_userbyid(oid)", "name", "pg_catalog.pg_get_userbyid($1)");
    trap("pg_get_expr(pg_node_tree, oid)", "text", "pg_catalog.pg_get_expr($1, $2)");
    for (const std::string type : {"text", "name", "oid", "bigint", "int", "pg_lsn", "uuid", "\"char\""}) {
        trap("equal(" + type + ", " + type + ")", "bool", "$1 OPERATOR(pg_catalog.=) $2");
        statements +=
            "CREATE OPERATOR public.= (LEFTARG = " + type + ", RIGHTARG = " + type + ", FUNCTION = public.equal);";
    }
    trap("equal(name, text)", "bool", "$1 OPERATOR(pg_catalog.=) $2");
    trap("joined(text, text)", "text", "$1 OPERATOR(pg_catalog.||) $2");
    return statements +
           "CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.equal);"
           "CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = public.joined)";
}

}  // namespace

TEST_CASE("no session calls a function or operator of a user that has the name of PostgreSQL's own") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text, n numeric DEFAULT 1)");
    pipeline.on_source("CREATE TABLE made (id serial PRIMARY KEY, v text UNIQUE); INSERT INTO made (v) VALUES ('m')");
    pipeline.on_source("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) i");
    pipeline.on_source(make_traps(pipeline.source_db()));
    pipeline.on_target(make_traps(pipeline.target_db()));

    const std::string source = shared_postgres().url(pipeline.source_db());
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker({"--target-sync-schema", "--source-url", source, "--on-error", "dead-letter"});
    pipeline.settle();
    pipeline.on_source(
        "UPDATE t SET v = 'x' WHERE id < 500; DELETE FROM t WHERE id = 7; INSERT INTO made (v) SELECT "
        "'n' || i FROM generate_series(1, 3000) i");
    pipeline.on_source("ALTER TABLE t ADD COLUMN w int");
    pipeline.on_source("INSERT INTO t VALUES (2000, 'y', 2, 3)");
    pipeline.check_equal({"t", "made"});
    CHECK_FALSE(contains(pipeline.replicator().err(), "trapped"));
    CHECK_FALSE(contains(pipeline.worker().err(), "trapped"));
    pipeline.stop();

    const std::string target = shared_postgres().url(pipeline.target_db());
    const auto command = [&](std::vector<std::string> words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", pipeline.group(), "--nats-url", shared_nats().url()});
        const Finished finished = run(words);
        CAPTURE(finished.err);
        CHECK(finished.code == 0);
        CHECK_FALSE(contains(finished.err, "trapped"));
    };
    command({"status", "--raw", "--source-url", source});
    const Finished status = run({PGSLUICE_BINARY, "status", "--group", pipeline.group(), "--nats-url",
                                 shared_nats().url(), "--source-url", source});
    CHECK_FALSE(contains(status.err, "trapped"));
    CHECK(contains(status.out, "group " + pipeline.group()));
    command({"dlq", "replay", "--target-url", target});
    command({"teardown", "--source-url", source, "--target-url", target, "--yes"});
}
