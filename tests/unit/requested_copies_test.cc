#include "replicator/tables/requested_copies.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

TableRecord record(Oid oid, TableState state, Oid delivered = 0) {
    TableRecord made;
    made.oid = oid;
    made.delivered_oid = delivered == 0 ? oid : delivered;
    made.name = made.delivered_as = {"public", "t" + std::to_string(oid)};
    made.state = state;
    made.epoch = 3;
    made.rows = 7;
    return made;
}

std::map<Oid, TableRecord> some() {
    std::map<Oid, TableRecord> records;
    for (const TableRecord& each :
         {record(1, TableState::copied), record(2, TableState::born_empty), record(3, TableState::left),
          record(4, TableState::copy_due), record(5, TableState::copied, 9), record(6, TableState::copied, 9)})
        records[each.oid] = each;
    return records;
}

}  // namespace

TEST_CASE("a table that is asked for is due, and its rows in the targets are void") {
    for (const Oid oid : {1U, 2U}) {
        const auto findings = requested_copies(some(), {oid}, true);
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].next.oid == oid);
        CHECK(findings[0].next.state == TableState::copy_due);
        CHECK(findings[0].next.replaces);
        CHECK(findings[0].next.epoch == 0);
        CHECK_FALSE(findings[0].next.rows);
        CHECK_FALSE(findings[0].refused);
    }
}

TEST_CASE("a table that is due stays as it is") {
    const auto findings = requested_copies(some(), {4}, true);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].next == some().at(4));
    CHECK(findings[0].text.empty());
}

TEST_CASE("partitions delivered as their root are copied together") {
    const auto findings = requested_copies(some(), {5}, true);
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].next.oid == 5);
    CHECK(findings[1].next.oid == 6);
    CHECK(findings[1].next.state == TableState::copy_due);
}

TEST_CASE("what cannot be copied again is said") {
    const auto gone = requested_copies(some(), {3}, true);
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].refused);
    CHECK(gone[0].text == "table 'public.t3' is not copied again: it is no longer in the group");
    const auto stream = requested_copies(some(), {1}, false);
    REQUIRE(stream.size() == 1);
    CHECK(stream[0].refused);
    CHECK(stream[0].next == some().at(1));
    CHECK(requested_copies(some(), {77}, true).empty());
}
