// Which rows differ, by key and digest.
#include "worker/compare/differences.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using Kind = Difference::Kind;

namespace {

std::string text(const std::vector<Difference>& rows) {
    std::string all;
    for (const Difference& row : rows) {
        const char* kind = row.kind == Kind::missing ? "missing" : row.kind == Kind::extra ? "extra" : "changed";
        all += row.key + " " + kind + " " + row.source.ctid + row.target.ctid + "\n";
    }
    return all;
}

}  // namespace

TEST_CASE("changed, missing and extra rows are told apart, in the order of their keys") {
    Differences found;
    for (int i = 1; i <= 12; ++i) found.at_source(std::to_string(i), static_cast<std::uint64_t>(i), {0, "s"});
    for (int i = 1; i <= 12; ++i) {
        if (i == 4) continue;
        found.at_target(std::to_string(i), i == 10 || i == 9 ? 99 : static_cast<std::uint64_t>(i), {0, "t"});
    }
    found.at_target("20", 20, {0, "t"});
    CHECK(text(found.take()) == "4 missing s\n9 changed st\n10 changed st\n20 extra t\n");
    CHECK(found.take().empty());
}

TEST_CASE("rows that are there several times count so") {
    Differences found;
    for (int i = 0; i < 3; ++i) found.at_source("a", 1, {0, "s"});
    for (int i = 0; i < 2; ++i) found.at_target("a", 1, {0, "t"});
    found.at_source("b", 2, {0, "s"});
    for (int i = 0; i < 3; ++i) found.at_target("b", 2, {0, "t"});
    CHECK(text(found.take()) == "a missing s\nb extra t\nb extra t\n");
}
