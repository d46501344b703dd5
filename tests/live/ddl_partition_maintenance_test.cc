// Partitions that a function makes ahead and drops when they are old, with dynamic SQL, as pg_partman does it: over and
// over, beside a DEFAULT partition whose rows move into their partition when that is made, while writers run.
#include <doctest/doctest.h>

#include <string>

#include "sql/connection.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/writers.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A partition holds 10 values of `at`. The writers' rows are in the one that begins at `now`, in the two after it, and
// now and then so far ahead that they go into the DEFAULT partition.
constexpr const char* maintenance = R"(
CREATE SCHEMA maintenance;
CREATE SEQUENCE maintenance.clock START 100 MINVALUE 0;
CREATE TABLE public.log (id bigserial, at int NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX log_v ON public.log (v);
CREATE TABLE public.log_default PARTITION OF public.log DEFAULT;

CREATE FUNCTION maintenance.make(since int) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE name text := format('log_p%s', since);
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.log INCLUDING ALL)', name);
    EXECUTE format('WITH moved AS (DELETE FROM public.log_default WHERE at >= %s AND at < %s RETURNING *) '
                   'INSERT INTO public.%I SELECT * FROM moved', since, since + 10, name);
    EXECUTE format('ALTER TABLE public.log ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                   name, since, since + 10);
END $f$;

CREATE FUNCTION maintenance.run() RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
    since int := nextval('maintenance.clock') * 10;
    old record;
BEGIN
    LOCK TABLE public.log IN ACCESS EXCLUSIVE MODE;
    FOR i IN 0..2 LOOP PERFORM maintenance.make(since + i * 10); END LOOP;
    FOR old IN SELECT inhrelid::regclass AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid
               WHERE inhparent = 'public.log'::regclass AND CASE WHEN relname ~ '^log_p' THEN substr(relname, 6)::int < since - 20 END LOOP
        IF random() < 0.5 THEN EXECUTE format('ALTER TABLE public.log DETACH PARTITION %s', old.name); END IF;
        EXECUTE format('DROP TABLE %s', old.name);
    END LOOP;
END $f$;

CREATE FUNCTION maintenance.write(n int) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE now int; newest text;
BEGIN
    SELECT last_value * 10 INTO now FROM maintenance.clock;
    INSERT INTO public.log (at, v) VALUES (now + n % 30, 'v' || n),
        (now + CASE WHEN n % 5 = 0 THEN 45 ELSE 5 END, 'w' || n);
    UPDATE public.log SET v = v || '.' WHERE at BETWEEN now AND now + 3;
    DELETE FROM public.log WHERE at = now + 7 AND id % 3 = 0;
    IF n % 7 = 0 THEN UPDATE public.log SET at = now + 55 WHERE at = now + 1; END IF;
    -- Not through the root.
    newest := format('public.log_p%s', now);
    IF to_regclass(newest) IS NOT NULL THEN
        EXECUTE format('INSERT INTO %s (at, v) VALUES (%s, ''direct'')', newest, now + 2);
        IF n % 40 = 0 AND to_regclass('maintenance.no_truncate') IS NULL THEN
            EXECUTE format('TRUNCATE %s', newest);
        END IF;
    END IF;
EXCEPTION WHEN OTHERS THEN NULL;  -- its partition is gone, say
END $f$;
)";

// As another way to do it: the DEFAULT partition is detached, and attached when rows of it have moved.
constexpr const char* aside = R"(
CREATE OR REPLACE FUNCTION maintenance.make(since int) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE name text := format('log_p%s', since);
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN RETURN; END IF;
    ALTER TABLE public.log DETACH PARTITION public.log_default;
    EXECUTE format('CREATE TABLE public.%I PARTITION OF public.log FOR VALUES FROM (%s) TO (%s)',
                   name, since, since + 10);
    INSERT INTO public.log SELECT * FROM public.log_default WHERE at >= since AND at < since + 10;
    DELETE FROM public.log_default WHERE at >= since AND at < since + 10;
    ALTER TABLE public.log ATTACH PARTITION public.log_default DEFAULT;
END $f$)";

// The source does not send it where partitions come as their root.
constexpr const char* never_truncates = "CREATE TABLE maintenance.no_truncate ()";

struct Maintained : Pipeline {
    explicit Maintained(std::vector<std::string> words, const std::string& more = "") {
        on_source(maintenance);
        on_source(more);
        on_source("SELECT maintenance.run()");
        on_target("CREATE SCHEMA maintenance");
        words.insert(words.begin(), {"--copy-and-stream", "--track-ddl"});
        start_replicator(words);
        start_worker({"--target-sync-schema", "--source-url", source_url()});
        settle();
    }
    void run(int rounds) {
        Writers writers(
            shared_servers().source.connect(source_db()),
            [](int number) { return "SELECT maintenance.write(" + std::to_string(number) + ")"; }, 2,
            std::chrono::milliseconds(0));
        sql::Connection session(shared_servers().source.connect(source_db()));
        session.exec("SET deadlock_timeout = '60s'");
        for (int round = 0; round < rounds; ++round) {
            session.exec("SELECT maintenance.run()");
            writers.await(30);
        }
        writers.stop();
        await_same_databases(*this);
        CHECK(target_scalar("SELECT count(*) FROM pg_inherits WHERE inhparent = 'log'::regclass") == "6");
        stop();
    }
};

}  // namespace

TEST_CASE("partitions are made and dropped all the time") { Maintained({}).run(20); }

TEST_CASE("the DEFAULT partition is detached for it each time") { Maintained({}, aside).run(10); }

TEST_CASE("partitions are made and dropped all the time, and come as their root") {
    Maintained({"--publish-via-partition-root"}, never_truncates).run(10);
}

TEST_CASE("the DEFAULT partition is detached for it each time, and partitions come as their root") {
    Maintained({"--publish-via-partition-root"}, std::string(never_truncates) + ";" + aside).run(10);
}
