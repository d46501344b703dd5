#include "stream/group/copy_request.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("a copy request reads back as it was written") {
    for (const std::set<Oid>& tables : {std::set<Oid>{}, {16384}, {1, 4294967295}})
        CHECK(decode_copy_request(encode_copy_request(tables)) == tables);
    CHECK(encode_copy_request({2, 1}) == R"({"oids":[1,2]})");
}

TEST_CASE("what is not a copy request is refused") {
    for (const char* text :
         {"", "{}", R"({"oids":1})", R"({"oids":["1"]})", R"({"oids":[4294967296]})", R"({"oids":[-1]})"})
        CHECK_THROWS_AS(decode_copy_request(text), Error);
}
