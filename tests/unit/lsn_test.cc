#include "sql/lsn.h"

#include <doctest/doctest.h>

using pgsluice::Lsn;
using pgsluice::parse_lsn;
using pgsluice::to_string;

TEST_CASE("an LSN is printed as PostgreSQL prints it") {
    CHECK(to_string(Lsn{0}) == "0/0");
    CHECK(to_string(Lsn{0x16B2D50}) == "0/16B2D50");
    CHECK(to_string(Lsn{0xFFFFFFFFFFFFFFFF}) == "FFFFFFFF/FFFFFFFF");
    CHECK(to_string(Lsn{0x100000000}) == "1/0");
}

TEST_CASE("an LSN is read back") {
    CHECK(parse_lsn("0/16B2D50") == Lsn{0x16B2D50});
    CHECK(parse_lsn("ffffffff/0000000a") == Lsn{0xFFFFFFFF0000000A});
    CHECK(parse_lsn("0/0") == Lsn{0});
}

TEST_CASE("what is not one whole LSN is nothing") {
    for (const char* text : {"", "/", "1/", "/1", "1", "0/123456789", "123456789/0", "0/12 ", " 0/12", "0/12/3", "0/G",
                             "0x1/2", "-1/0", "0/+1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_lsn(text));
    }
}

TEST_CASE("LSNs are ordered by position") {
    CHECK(Lsn{0x2FFFFFFFF} < Lsn{0x300000000});
    CHECK_FALSE(Lsn{0}.valid());
    CHECK(Lsn{1}.valid());
}
