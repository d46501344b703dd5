// Durations, sizes and lists as people write them.
#include "cmd/cli/value.h"

#include <doctest/doctest.h>

using namespace pgsluice;

TEST_CASE("durations") {
    CHECK(parse_duration_ms("500ms") == 500);
    CHECK(parse_duration_ms("8s") == 8000);
    CHECK(parse_duration_ms("1h") == 3600000);
    CHECK(parse_duration_ms("1h30m") == 5400000);
    CHECK(parse_duration_ms("2d") == 172800000);
    CHECK(parse_duration_ms("0") == 0);
    for (const char* bad :
         {"", "8", "s", "-1s", "1 s", "1.5s", "1w", "99999999999999999999s", "9223372036854775807h"}) {
        INFO(bad);
        CHECK_THROWS_AS(parse_duration_ms(bad), BadValue);
    }
}

TEST_CASE("sizes") {
    CHECK(parse_bytes("65536") == 65536);
    CHECK(parse_bytes("64MB") == 64LL << 20);
    CHECK(parse_bytes("64MiB") == 64LL << 20);
    CHECK(parse_bytes("1GiB") == 1LL << 30);
    CHECK(parse_bytes("2kB") == 2048);
    for (const char* bad : {"", "MB", "-1", "1XB", "1.5GB", "1 GB", "9223372036854775807GB"}) {
        INFO(bad);
        CHECK_THROWS_AS(parse_bytes(bad), BadValue);
    }
}

TEST_CASE("whole numbers") {
    CHECK(parse_integer("7", 0, 9) == 7);
    for (const char* bad : {"", "x", "7x", " 7", "10", "-1", "0x7", "+7"}) {
        INFO(bad);
        CHECK_THROWS_WITH_AS(parse_integer(bad, 0, 9), "expected a whole number from 0 to 9", BadValue);
    }
}

TEST_CASE("lists split at commas outside quotes") {
    using Words = std::vector<std::string>;
    CHECK(split_list("a") == Words{"a"});
    CHECK(split_list("a, b ,c") == Words{"a", "b", "c"});
    CHECK(split_list("\"a,b\".c,d") == Words{"\"a,b\".c", "d"});
    CHECK_THROWS_AS(split_list("a,,b"), BadValue);
    CHECK_THROWS_AS(split_list(""), BadValue);
    CHECK_THROWS_AS(split_list("\"a,b"), BadValue);
}

TEST_CASE("booleans") {
    CHECK(parse_boolean("true"));
    CHECK(parse_boolean("ON"));
    CHECK_FALSE(parse_boolean("no"));
    CHECK_THROWS_AS(parse_boolean("maybe"), BadValue);
}
