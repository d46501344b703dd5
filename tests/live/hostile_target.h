// A target on which a role without rights has hung code.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "tests/live/postgres_sink_fixture.h"

namespace pgsluice::test {

// The worker is a superuser. `mallory` has no right but for a schema of hers; what her code sees of `secrets`, and as
// whom it ran, it writes into `loot`.
struct Hostile : PostgresTarget {
    std::string mallory = "mallory_" + database;

    explicit Hostile(const std::string& make) {
        sql(fmt::format(
            "CREATE ROLE {0}; CREATE SCHEMA own AUTHORIZATION {0}; CREATE TABLE secrets (s text); INSERT INTO "
            "secrets VALUES ('hush'); SET ROLE {0}; CREATE TABLE own.loot (by text, s text); "
            "CREATE FUNCTION own.grab() RETURNS int LANGUAGE plpgsql AS $$BEGIN "
            "INSERT INTO own.loot SELECT current_user, s FROM public.secrets; RETURN 1; "
            "EXCEPTION WHEN insufficient_privilege THEN INSERT INTO own.loot VALUES (current_user, 'refused'); RETURN "
            "1; END$$; "
            "CREATE FUNCTION own.pure(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM own.grab(); "
            "RETURN $1; END$$; "
            "CREATE FUNCTION own.grabs() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM own.grab(); RETURN "
            "coalesce(new, old); END$$; {1}",
            mallory, make));
    }
    // The worker is a role that may write own.t from now on, and nothing else. Its name.
    std::string as_writer() {
        const std::string writer = "writer_" + database;
        sql(
            fmt::format("CREATE ROLE {0} LOGIN; CREATE SCHEMA pgsluice AUTHORIZATION {0}; GRANT USAGE ON SCHEMA own "
                        "TO {0}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON own.t TO {0}",
                        writer));
        options.target.user = writer;
        return writer;
    }
    // Nothing was seen, and the code did run.
    void check_only_as_mallory() {
        CHECK(rows("SELECT DISTINCT by, s FROM own.loot") == Lines{mallory + "|refused"});
        sql("TRUNCATE own.loot");
    }
    void check_rows(const Lines& wanted) { CHECK(rows("SELECT id, v FROM own.t ORDER BY id") == wanted); }
};

}  // namespace pgsluice::test
