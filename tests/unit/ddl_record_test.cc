#include "stream/group/ddl_record.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("a record of tracked DDL is read as it was written") {
    for (const DdlRecord& record : {DdlRecord{}, DdlRecord{true, {}}, DdlRecord{false, {1041}}, DdlRecord{true, {7}}})
        CHECK(decode_ddl_record(encode(record)) == record);
    CHECK(encode(DdlRecord{false, {1041}}) == R"({"tracked":false,"until":1041})");
    for (const char* bad : {"", "not json", "[]", "{}", R"({"tracked":1,"until":2})", R"({"tracked":true,"until":-1})"})
        CHECK_THROWS_AS(decode_ddl_record(bad), Error);
}

TEST_CASE("a message may hold DDL while it is tracked, and up to where tracking ended") {
    CHECK(may_hold_ddl({true, {}}, {9}));
    CHECK_FALSE(may_hold_ddl({false, {}}, {1}));
    CHECK(may_hold_ddl({false, {5}}, {5}));
    CHECK_FALSE(may_hold_ddl({false, {5}}, {6}));
}
