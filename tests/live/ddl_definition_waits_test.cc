// The capture holds up neither other transactions nor those who keep the first definitions.
#include <doctest/doctest.h>

#include "tests/support/ddl_source.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("two transactions with DDL do not wait for each other, and each says its own") {
    DdlSource source(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY); CREATE TYPE m AS ENUM ('a')",
        "false", "t, u");
    source.run("ALTER TABLE u ADD COLUMN early int");
    static_cast<void>(source.said());
    auto first = source.connect();
    auto second = source.connect();
    for (auto* session : {&first, &second}) session->exec("SET lock_timeout = '20s'; BEGIN");
    first.exec("CREATE INDEX a ON t (v)");
    second.exec("CREATE INDEX b ON t (v)");  // would time out
    // Both begin to use the type, in their own tables.
    first.exec("CREATE TABLE of_first (m m, id int PRIMARY KEY REFERENCES u)");
    first.exec("ALTER TABLE u ADD COLUMN m m");
    second.exec("ALTER TYPE m ADD VALUE 'b'");
    second.exec("COMMIT");
    first.exec("COMMIT");
    CHECK(source.said() ==
          Texts{"CREATE INDEX: index public.b new", "CREATE INDEX: index public.a new",
                "ALTER TABLE: schema public same; type public.m same; table public.u changed columns"});
    source.run("ALTER TYPE m ADD VALUE 'c'");
    CHECK(source.said() == Texts{"ALTER TYPE: schema public same; type public.m changed labels"});
}

TEST_CASE("definitions that are kept for the first time while other transactions alter the tables") {
    DdlSource source("CREATE TABLE t (id int PRIMARY KEY)", "false", "t");
    source.run("DELETE FROM pgsluice.ddl_definition");
    auto other = source.connect();
    other.exec("BEGIN");
    other.exec("ALTER TABLE t ADD COLUMN c int");
    const std::string fill = "SELECT pgsluice.fill_ddl_" + source.group() + "(100)";
    auto filling = source.connect();
    filling.exec(fill);  // has the table not yet, and does not wait for it
    CHECK(source.scalar("SELECT count(*) FROM pgsluice.ddl_definition WHERE class = 'schema'") == "1");
    CHECK(filling.exec(fill).integer(0, 0) == 1);
    other.exec("COMMIT");
    source.fill();
    CHECK(source.said() == Texts{"ALTER TABLE: schema public same; table public.t new unknown"});
    source.run("ALTER TABLE t ADD COLUMN d int");
    CHECK(source.said() == Texts{"ALTER TABLE: table public.t changed columns"});
    CHECK(source.scalar("SELECT count(*) FROM pgsluice.ddl_definition WHERE class = 'filled'") == "1");
}

TEST_CASE("a role that is no superuser may neither read the catalog through the functions nor write what is kept") {
    DdlSource source("CREATE TABLE t (id int PRIMARY KEY)", "false", "t");
    const std::string role = "lowly_" + source.group();
    source.run("CREATE ROLE " + role + "; GRANT USAGE ON SCHEMA pgsluice TO " + role);
    auto session = source.connect();
    session.exec("SET ROLE " + role);
    CHECK_THROWS(session.exec("SELECT pgsluice.definition('table', 1)"));
    CHECK_THROWS(session.exec("SELECT pgsluice.fill_ddl_" + source.group() + "(1)"));
    CHECK_THROWS(session.exec("DELETE FROM pgsluice.ddl_definition"));
    // Its own DDL is captured all the same.
    source.run("ALTER TABLE t OWNER TO " + role);
    session.exec("ALTER TABLE public.t ADD COLUMN c int");
    CHECK(source.said().size() == 2);
    source.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}
