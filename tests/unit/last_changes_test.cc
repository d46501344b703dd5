#include "stream/group/last_changes.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("when tables changed last, written and read") {
    const LastChanges changes{{16385, {Lsn{0x16B2D50}, 781234567890123}}, {16390, {Lsn{0x1}, -5}}};
    CHECK(encode(changes) ==
          "{\"tables\":[{\"oid\":16385,\"lsn\":\"0/16B2D50\",\"time_us\":781234567890123},\n"
          "{\"oid\":16390,\"lsn\":\"0/1\",\"time_us\":-5}]}");
    CHECK(decode_last_changes(encode(changes)) == changes);
    CHECK(decode_last_changes(encode(LastChanges{})).empty());
    CHECK_THROWS_AS(decode_last_changes("{\"tables\":[{}]}"), Error);
    CHECK_THROWS_AS(decode_last_changes("x"), Error);
}
