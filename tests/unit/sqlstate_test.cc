#include "sql/sqlstate.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace pgsluice::sql;

TEST_CASE("what may pass by itself is tried again") {
    for (const char* code : {"", "08000", "08006", "57P01", "57P02", "57P03", "53300", "40001", "40P01", "55006"}) {
        CAPTURE(code);
        CHECK(action_for(code) == Action::retry);
    }
}

TEST_CASE("what has to be changed stops") {
    for (const char* code : {"28P01", "28000", "3D000", "42501", "42P01", "23505", "22P02", "XX000", "0A000"}) {
        CAPTURE(code);
        CHECK(action_for(code) == Action::stop);
    }
    for (const char* code : {"28P01", "28000", "3D000", "42501", "53300"}) {
        CAPTURE(code);
        CHECK_FALSE(hint_for(code).empty());
    }
}

TEST_CASE("an internal error while the server decodes its log is tried again, all else is as ever") {
    for (const char* code : {"XX000", "XX001", "", "57P01"}) CHECK(action_for_decoding(code) == Action::retry);
    CHECK(is_catalog_race("XX000", "cache lookup failed for type 26683"));
    CHECK(is_catalog_race("XX000", "could not open relation with OID 16400"));
    CHECK_FALSE(is_catalog_race("XX000", "unexpected chunk number 1"));
    CHECK_FALSE(is_catalog_race("42704", "cache lookup failed for type 26683"));
    for (const char* code : {"42704", "58P01", "53100"}) CHECK(action_for_decoding(code) == Action::stop);
}

TEST_CASE("a refusal's SQLSTATE is read out of libpq's text, in any language") {
    const char* refused =
        "connection to server at \"::1\", port 5432 failed: Connection refused\n"
        "\tIs the server running on that host and accepting TCP/IP connections?\n"
        "connection to server at \"127.0.0.1\", port 5432 failed: SCHWERWIEGEND:  28P01: Passwort falsch\n"
        "LOCATION:  auth_failed, auth.c:332\n";
    CHECK(sqlstate_in(refused) == "28P01");
    const auto line = one_line(refused);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find("28P01") == std::string::npos);
    CHECK(line.find("auth.c") == std::string::npos);
    CHECK(line.find("SCHWERWIEGEND: Passwort falsch") != std::string::npos);
}

TEST_CASE("what refuses a row, and what refuses all") {
    for (const char* row : {"22P02", "23505", "23514", "44000", "P0001"}) CHECK(refuses_row(row));
    for (const char* all : {"", "42501", "42P01", "53100", "57014", "55P03", "40001", "58030", "XX000"})
        CHECK_FALSE(refuses_row(all));
}

TEST_CASE("a text without a server's word has no SQLSTATE") {
    CHECK(sqlstate_in("") == "");
    CHECK(sqlstate_in("could not translate host name \"nowhere\" to address: Name or service not known") == "");
    CHECK(sqlstate_in("FATAL:  sorry: no code here") == "");
}

TEST_CASE("a data exception's value does not get into the message") {
    CHECK(without_values("22P02", R"(invalid input syntax for type integer: "se"cret")") ==
          R"(invalid input syntax for type integer: "...")");
    CHECK(without_values("42P01", R"(relation "t" does not exist)") == R"(relation "t" does not exist)");
    CHECK(without_values("22012", "division by zero") == "division by zero");
}

TEST_CASE("a character that the encoding lacks is told with both encodings, without its bytes") {
    CHECK(without_values("22P05", R"(character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent )"
                                  R"(in encoding "LATIN1")") ==
          R"(character with byte sequence ... in encoding "UTF8" has no equivalent in encoding "LATIN1")");
    CHECK(without_values("22021", R"(invalid byte sequence for encoding "UTF8": 0xff)") ==
          R"(invalid byte sequence for encoding "UTF8": ... )");
}

TEST_CASE("the hint is about the right that the role lacks") {
    CHECK(hint_for("42501", "permission denied for table t", "").find("Grant the role") == 0);
    CHECK(hint_for("42501", "must be owner of table t", "").find("GRANT owner TO role") != std::string::npos);
    CHECK(hint_for("42501", "query would be affected by row-level security policy for table \"t\"", "")
              .find("BYPASSRLS") != std::string::npos);
    CHECK(hint_for("42501", "must be superuser to create event trigger", "").find("superuser") != std::string::npos);
    CHECK(hint_for("42501", "keine Berechtigung", "").find("membership") != std::string::npos);
}

TEST_CASE("a name that a function does not find under our empty search_path") {
    const char* context =
        "PL/pgSQL function public.log_change() line 1 at SQL statement\nCOPY t, line 1: SQL function secret()";
    CHECK(
        hint_for("42P01", "relation \"log\" does not exist", context).find("ALTER FUNCTION public.log_change() SET") !=
        std::string::npos);
    CHECK(hint_for("42P01", "relation \"log\" does not exist", "") ==
          "Create what the message names, or correct its name and schema.");
    CHECK(hint_for("42P01", "relation \"log\" does not exist", "COPY t, line 1: function secret()").find("secret") ==
          std::string::npos);
}
