// Captured DDL runs with the rights of the target's table owner: what a source user writes into a check cannot read or
// change what only the worker's role may. Defaults are not evaluated on the target.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

// The worker is a superuser; the target's table has another owner, and `secrets` is not for that one.
struct Owned : Pipeline {
    std::string owner = "owner_" + group();

    Owned() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t VALUES (1, 'a')");
        on_target(
            fmt::format("CREATE ROLE {0}; ALTER TABLE t OWNER TO {0}; CREATE TABLE secrets (s text); INSERT INTO "
                        "secrets VALUES ('hush')",
                        owner));
        start({"--copy-and-stream", "--track-ddl"});
        settle();
    }
    // Ends with a worker that has refused the command, for lack of a right.
    void check_refused(const std::string& command) {
        on_source(command);
        CHECK(worker().wait(std::chrono::seconds(60)) == 1);
        const std::string said = worker().err();
        CAPTURE(said);
        CHECK(contains(said, "unable to apply constraint on table 'public.t'"));
        CHECK(contains(said, "permission denied for table secrets"));
        CHECK(target_scalar("SELECT count(*) FROM pg_constraint WHERE conname = 't_check'") == "0");
        kill_worker();
        stop_replicator();
    }
};

// The source has no such table: there the default is NULL.
constexpr const char* reading =
    "CASE WHEN to_regclass('public.secrets') IS NOT NULL {} THEN "
    "query_to_xml('SELECT * FROM public.secrets', true, true, '')::text END";

}  // namespace

TEST_CASE("a check that reads what only the worker's role may read is refused") {
    Owned pipeline;
    pipeline.check_refused("ALTER TABLE t ADD CHECK (coalesce(" + fmt::format(fmt::runtime(reading), "") +
                           ", 'x') <> '')");
}

TEST_CASE("a check that first takes the worker's role back is refused") {
    Owned pipeline;
    pipeline.on_source("ALTER TABLE t ADD COLUMN fine text DEFAULT 'fine'");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT fine FROM t") == "fine");
    CHECK(pipeline.target_scalar("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == pipeline.owner);
    pipeline.on_source("ALTER TABLE t ADD CHECK (coalesce(" +
                       fmt::format(fmt::runtime(reading), "AND set_config('role', 'none', true) IS NOT NULL") +
                       ", 'x') <> '')");
    CHECK(pipeline.worker().wait(std::chrono::seconds(60)) == 1);
    CHECK(contains(pipeline.worker().err(), "cannot set parameter \"role\" within security-definer function"));
    CHECK(pipeline.target_scalar("SELECT count(*) FROM pg_constraint WHERE conname = 't_check'") == "0");
    pipeline.kill_worker();
    pipeline.stop_replicator();
}

TEST_CASE("a default is not evaluated on the target: its rows hold what the source has computed") {
    Owned pipeline;
    pipeline.on_source("ALTER TABLE t ADD COLUMN leak text DEFAULT coalesce(" + fmt::format(fmt::runtime(reading), "") +
                       ", 'the source''s')");
    CHECK(
        eventually("the rows are there", [&] { return pipeline.target_rows("t") == Texts{"(1,a,\"the source's\")"}; }));
    pipeline.on_source("INSERT INTO t VALUES (2, 'b')");
    pipeline.check_equal({"t"});
    CHECK(pipeline.target_rows("t").size() == 2);
    pipeline.stop();
}

TEST_CASE("what a command leaves in the session for the worker to run is refused") {
    for (const char* left : {"SET search_path = public", "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                             "PREPARE x AS SELECT 1", "CREATE TEMP VIEW pg_roles AS SELECT 1"}) {
        CAPTURE(left);
        Owned pipeline;
        // On the source there is no such table, and nothing is left.
        pipeline.on_both(
            "CREATE FUNCTION leaves(command text) RETURNS text LANGUAGE plpgsql AS $$BEGIN "
            "IF to_regclass('public.secrets') IS NOT NULL THEN EXECUTE command; END IF; RETURN 'x'; END$$");
        pipeline.on_source("ALTER TABLE t ADD CHECK (leaves('" + std::string(left) + "') = 'x')");
        CHECK(pipeline.worker().wait(std::chrono::seconds(60)) == 1);
        CHECK(contains(pipeline.worker().err(), "unable to apply constraint on table 'public.t'"));
        CHECK((contains(pipeline.worker().err(), "it changed a setting of the session") ||
               contains(pipeline.worker().err(), "it left a cursor, a prepared statement or a temporary object")));
        pipeline.kill_worker();
        pipeline.stop_replicator();
    }
}

TEST_CASE("a sequence that a column gets belongs to the table's owner, as the server wants it") {
    Owned pipeline;
    pipeline.on_source("ALTER TABLE t ADD COLUMN n serial");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT sequenceowner FROM pg_sequences WHERE sequencename = 't_n_seq'") ==
          pipeline.owner);
    CHECK(pipeline.target_scalar("SELECT pg_get_serial_sequence('t', 'n')") == "public.t_n_seq");
    CHECK(eventually("the rows are copied again", [&] { return pipeline.target_rows("t") == Texts{"(1,a,1)"}; }));
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("the owner of a new schema may use it at once: a table moves there in the same command") {
    Pipeline pipeline;
    const std::string role = "\"Mover " + pipeline.group() + '"';
    for (const bool source : {true, false}) {
        const auto run = [&](const std::string& text) { source ? pipeline.on_source(text) : pipeline.on_target(text); };
        run("DO $$ BEGIN CREATE ROLE " + role + "; EXCEPTION WHEN duplicate_object THEN END $$");
        run("GRANT CREATE ON SCHEMA public TO " + role +
            "; CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t OWNER TO " + role);
    }
    pipeline.on_source(fmt::format("GRANT CREATE ON DATABASE {} TO {}", pipeline.source_db(), role));
    pipeline.start({"--copy-and-stream", "--track-ddl", "--all-schemas"});
    pipeline.settle();
    pipeline.on_source("SET ROLE " + role +
                       "; DO $$ BEGIN CREATE SCHEMA away; ALTER TABLE t SET SCHEMA away; INSERT INTO away.t VALUES "
                       "(1, 'moved'); END $$; RESET ROLE");
    pipeline.check_equal({"away.t"});
    CHECK(pipeline.target_scalar("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'away'") == role);
    pipeline.stop();
}
