// The record that a group's replicator applies rules.
#include "stream/group/source_rules.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("source rules: the record reads back, and what is no record is refused") {
    const SourceRulesRecord record{"8f1c22ab90d1e734"};
    CHECK(encode(record) == R"({"digest":"8f1c22ab90d1e734"})");
    CHECK(decode_source_rules(encode(record)) == record);
    CHECK_THROWS_AS(static_cast<void>(decode_source_rules("{}")), Error);
    CHECK_THROWS_AS(static_cast<void>(decode_source_rules("garbled")), Error);
}
