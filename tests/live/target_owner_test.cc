// --target-owner: what is made on the target belongs to that role, and the source's code runs with its rights only.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// A user of the source hangs a function on a table, as a check and as a generated column. What it sees of the target's
// `secrets`, and as whom it ran, it keeps in the table or in `loot`. The worker is a superuser.
constexpr const char* attack = R"(
CREATE FUNCTION spy_on(id int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE seen text;
BEGIN
    IF to_regclass('public.secrets') IS NULL THEN RETURN 'nothing'; END IF;
    SELECT current_user || ' ' || s INTO seen FROM public.secrets;
    RETURN seen;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN current_user || ' refused';
END$$;
CREATE FUNCTION spy_check() RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('public.secrets') IS NULL THEN RETURN true; END IF;
    INSERT INTO public.loot SELECT current_user || ' ' || s FROM public.secrets;
    RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
    INSERT INTO public.loot VALUES (current_user || ' refused');
    RETURN true;
END$$;
CREATE TABLE t (id int PRIMARY KEY, v text, leak text GENERATED ALWAYS AS (public.spy_on(id)) STORED,
    CHECK (spy_check()));
CREATE INDEX t_leak ON t (id, spy_on(id));
INSERT INTO t VALUES (1, 'a'), (2, 'b');
)";

struct Attacked : Pipeline {
    std::string owner = "app_" + group();

    Attacked() {
        on_source(attack);
        on_target(
            fmt::format("CREATE ROLE {0}; GRANT CREATE ON SCHEMA public TO {0}; CREATE TABLE secrets (s text); INSERT "
                        "INTO secrets VALUES ('hush'); CREATE TABLE loot (s text); GRANT INSERT ON loot TO {0}; ALTER "
                        "TABLE settled OWNER TO {0}",
                        owner));
    }
    void start_both(std::vector<std::string> more = {}) {
        start_replicator({"--copy-and-stream", "--track-ddl", "--tables", "settled,t"});
        more.insert(more.end(), {"--target-sync-schema", "--source-url", source_url()});
        start_worker(more);
        settle();
        on_source("INSERT INTO t VALUES (3, 'c'); UPDATE t SET v = 'z' WHERE id = 1");
        settle();
        CHECK(target_scalar("SELECT string_agg(v, '' ORDER BY id) FROM t") == "zbc");
    }
    std::string seen() {
        return target_scalar(
            "SELECT string_agg(DISTINCT s, ',') FROM (SELECT leak FROM t UNION SELECT s FROM loot) x(s)");
    }
    std::string owners() {
        return target_scalar(
            "SELECT string_agg(DISTINCT o::regrole::text, ',') FROM (SELECT relowner FROM pg_class WHERE relname IN "
            "('t', 't_pkey', 't_leak') UNION ALL SELECT proowner FROM pg_proc WHERE proname LIKE 'spy%') x (o)");
    }
};

}  // namespace

TEST_CASE("without --target-owner the source's code runs as the worker's role, which is said at the start") {
    Attacked pipeline;
    pipeline.start_both();
    CHECK(pipeline.owners() == "postgres");
    CHECK(contains(pipeline.seen(), "hush"));
    CHECK(contains(pipeline.worker().err(), "is a superuser"));
    CHECK(contains(pipeline.worker().err(), "--target-owner"));
    pipeline.stop();
}

TEST_CASE("with --target-owner the source's code cannot read what that role may not") {
    Attacked pipeline;
    pipeline.start_both({"--target-owner", pipeline.owner});
    CHECK(pipeline.owners() == pipeline.owner);
    CHECK(pipeline.seen() == pipeline.owner + " refused");
    CHECK(!contains(pipeline.worker().err(), "is a superuser"));
    pipeline.on_source("ALTER TABLE t ADD COLUMN n text DEFAULT spy_on(7)");
    pipeline.on_source("INSERT INTO t VALUES (4, 'd')");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM t WHERE n ~ 'hush'") == "0");
    CHECK(pipeline.seen() == pipeline.owner + " refused");
    pipeline.stop();
}

TEST_CASE("tables that come with DDL belong to --target-owner, whoever owns them on the source") {
    for (const std::string capture : {"text", "definitions"}) {
        CAPTURE(capture);
        Pipeline pipeline;
        const std::string owner = "app_" + pipeline.group();
        pipeline.on_target(fmt::format("CREATE ROLE {0}; GRANT CREATE ON SCHEMA public TO {0}", owner));
        pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--ddl-capture", capture});
        pipeline.on_target("ALTER TABLE settled OWNER TO " + owner);
        pipeline.start_worker({"--target-owner", owner});
        pipeline.settle();
        pipeline.on_source("CREATE TABLE late (id serial PRIMARY KEY, v text)");
        pipeline.on_source("CREATE INDEX late_v ON late (v)");
        pipeline.on_source("INSERT INTO late (v) VALUES ('a')");
        CHECK(eventually("the table's row comes", [&] {
            return pipeline.target_scalar("SELECT to_regclass('public.late') IS NOT NULL") == "t" &&
                   pipeline.target_rows("late").size() == 1;
        }));
        CHECK(pipeline.target_scalar("SELECT string_agg(DISTINCT relowner::regrole::text, ',') FROM pg_class WHERE "
                                     "relname LIKE 'late%'") == owner);
        pipeline.stop();
    }
}

TEST_CASE("a role for --target-owner that the worker cannot use is refused with the grants that it lacks") {
    Pipeline pipeline;
    const std::string owner = "app_" + pipeline.group();
    const std::string writer = "writer_" + pipeline.group();
    pipeline.on_target(
        fmt::format("CREATE ROLE {0} LOGIN; GRANT CREATE ON DATABASE {2} TO {0}; GRANT SELECT, INSERT, UPDATE ON "
                    "settled TO {0}; REVOKE TEMPORARY ON DATABASE {2} FROM PUBLIC; GRANT ALL ON SCHEMA public TO {0}; "
                    "ALTER TABLE settled OWNER TO {0}",
                    writer, owner, pipeline.target_db()));
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')");
    pipeline.start_replicator();
    const std::vector<std::string> flags{"--target-user",        writer,         "--target-owner",     owner,
                                         "--target-sync-schema", "--source-url", pipeline.source_url()};
    const auto refused = [&](const std::string& words) {
        Process worker({.argv = pipeline.worker_argv("postgres", flags)});
        CHECK(worker.wait(std::chrono::seconds(30)) == 1);
        INFO(worker.err());
        CHECK(contains(worker.err(), words));
    };
    refused("the target has no role '" + owner + "'");
    pipeline.on_target("CREATE ROLE " + owner);
    const bool with_set = shared_servers().target.version() >= 160000;
    const std::string grants = fmt::format("GRANT {0} TO {1}{3}; GRANT TEMPORARY ON DATABASE {2} TO {0}, {1}", owner,
                                           writer, pipeline.target_db(), with_set ? " WITH SET TRUE" : "");
    refused("As a superuser, run on the target: " + grants);
    pipeline.on_target(grants + "; REVOKE CREATE ON SCHEMA public FROM PUBLIC");  // which PostgreSQL 14 gives
    refused("permission denied for schema public");
    pipeline.on_target("ALTER TABLE settled OWNER TO " + owner);
    pipeline.on_target("GRANT CREATE ON SCHEMA public TO " + owner);
    pipeline.start_worker(flags);
    pipeline.check_equal({"t"});
    CHECK(pipeline.target_scalar("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == owner);
    pipeline.stop();
}
