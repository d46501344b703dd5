#include "stream/format/direct_plan.h"

#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/format/markers.h"
#include "stream/group/direct_copy.h"

using namespace pgsluice;

namespace {

SnapshotBegin some_begin() {
    SnapshotBegin begin;
    begin.epoch = 3;
    begin.consistent_point = Lsn{500};
    begin.tables = {
        Relation{16385, "public", "or\"der", ReplicaIdentity::default_key, {{"id", 20, -1, true, "bigint", 20, 0}}},
        Relation{16390, "public", "parts", ReplicaIdentity::default_key, {{"id", 20, -1, true, "bigint", 20, 0}}}};
    begin.estimated_bytes = {8192, 0};
    begin.replaces = {1};
    begin.time_us = 7;
    return begin;
}

const DirectPlan some_plan{
    "00000003-0000001B-1", 2, {{0, "public", "or\"der", 5}, {1, "public", "parts_1", 0}, {1, "public", "parts_2", 9}}};

}  // namespace

TEST_CASE("a direct snapshot's begin marker is read back with its plan") {
    const std::string body = encode(some_begin(), some_plan);
    CHECK(decode_direct_plan(body) == some_plan);
    const SnapshotBegin read = decode_snapshot_begin(body);
    CHECK(read.epoch == 3);
    CHECK(read.tables == some_begin().tables);
    CHECK(read.estimated_bytes == some_begin().estimated_bytes);
    CHECK(read.replaces == some_begin().replaces);
    CHECK(read.time_us == 7);
}

TEST_CASE("another begin marker has no plan, and a direct one has no tables for an older reader") {
    CHECK(decode_direct_plan(encode(some_begin())) == std::nullopt);
    CHECK(encode(some_begin(), some_plan).find("\"tables\"") > encode(some_begin(), some_plan).find("\"direct\":{"));
}

TEST_CASE("a part of a table that the marker does not name is refused") {
    DirectPlan plan = some_plan;
    plan.parts.front().table = 2;
    CHECK_THROWS_AS(decode_direct_plan(encode(some_begin(), plan)), Error);
}

TEST_CASE("a plan's ranges have their numbers by the order of tables, parts and pages") {
    // Parts are numbered over all tables. What a target notes as loaded goes by this order.
    CHECK(ranges_of(some_plan) == std::vector<PageRange>{{1, 2, 0, 1, 1},
                                                         {1, 2, 1, 3, 2},
                                                         {1, 2, 3, 5, 2},
                                                         {1, 2, 5, 7, 2},
                                                         {1, 2, 7, 0, 2},
                                                         {1, 1, 0, 0, 0},
                                                         {0, 0, 0, 1, 1},
                                                         {0, 0, 1, 3, 2},
                                                         {0, 0, 3, 0, 2}});
}

TEST_CASE("how far a worker is with a direct snapshot is read back") {
    const DirectCopy copy{3, Lsn{500}, "post\"gres", true, {{0, {3, 5, 7, 80}}, {4, {1, 0, 0, 0}}}};
    CHECK(decode_direct_copy(encode(copy)) == copy);
    CHECK(copy.is_of(3, Lsn{500}));
    CHECK_FALSE(copy.is_of(3, Lsn{501}));
    CHECK_FALSE(copy.is_of(4, Lsn{500}));
    CHECK_THROWS_AS(decode_direct_copy("{}"), Error);
}
