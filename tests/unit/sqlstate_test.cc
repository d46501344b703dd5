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

TEST_CASE("what somebody has to change stops") {
    for (const char* code : {"28P01", "28000", "3D000", "42501", "42P01", "23505", "22P02", "XX000", "0A000"}) {
        CAPTURE(code);
        CHECK(action_for(code) == Action::stop);
    }
    for (const char* code : {"28P01", "28000", "3D000", "42501", "53300"}) {
        CAPTURE(code);
        CHECK_FALSE(hint_for(code).empty());
    }
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
