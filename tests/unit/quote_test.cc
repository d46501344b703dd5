#include "sql/quote.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace pgsluice::sql;

TEST_CASE("identifiers are always quoted") {
    CHECK(quote_identifier("users") == R"("users")");
    CHECK(quote_identifier("Order") == R"("Order")");
    CHECK(quote_identifier(R"(a"b)") == R"("a""b")");
    CHECK(quote_identifier("ü") == R"("ü")");
    CHECK(quote_identifier(R"(a\b)") == R"("a\b")");
}

TEST_CASE("qualified names quote both parts") { CHECK(quote_qualified("s.x", R"(t")") == R"("s.x"."t""")"); }

TEST_CASE("literals double quotes and, as E'', backslashes") {
    CHECK(quote_literal("") == "''");
    CHECK(quote_literal("it's") == "'it''s'");
    CHECK(quote_literal(R"(a\'b)") == R"(E'a\\''b')");
    CHECK(quote_literal(R"("q")") == R"('"q"')");
}

TEST_CASE("a NUL byte never becomes SQL") {
    using namespace std::string_view_literals;
    CHECK_THROWS_AS(quote_identifier("a\0b"sv), std::logic_error);
    CHECK_THROWS_AS(quote_literal("a\0b"sv), std::logic_error);
}
