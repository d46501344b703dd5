// Checksums of rows and ranges.
#include "worker/compare/digest.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace pgsluice;

namespace {

std::uint64_t digest(const std::vector<Value>& values) { return digest_of(values); }
Value text(std::string_view bytes) { return Value(bytes); }

}  // namespace

TEST_CASE("rows that look alike have different digests") {
    std::set<std::uint64_t> seen;
    const std::vector<std::vector<Value>> rows{{},
                                               {Value()},
                                               {text("")},
                                               {Value(), Value()},
                                               {text(""), Value()},
                                               {Value(), text("")},
                                               {text("a"), text("bc")},
                                               {text("ab"), text("c")},
                                               {text("abc")},
                                               {text("1"), text("2")},
                                               {text("2"), text("1")},
                                               {text("NULL")}};
    for (const auto& row : rows) CHECK(seen.insert(digest(row)).second);
    CHECK(digest({text("a"), Value()}) == digest({text("a"), Value()}));
}

TEST_CASE("changes of two rows do not cancel in a sum") {
    RangeSum before;
    before.add({1, digest({text("1"), text("x")})});
    before.add({1, digest({text("2"), text("y")})});
    RangeSum after;
    after.add({1, digest({text("2"), text("x")})});
    after.add({1, digest({text("1"), text("y")})});
    CHECK(before != after);
    RangeSum twice = before;
    twice.add({1, digest({text("1"), text("x")})});
    twice.add({1, digest({text("1"), text("x")})});
    CHECK(twice != before);
}

TEST_CASE("PostgreSQL's sums are taken modulo 2^64") {
    CHECK(modulo_64("0") == 0);
    CHECK(modulo_64("-1") == ~std::uint64_t{0});
    CHECK(modulo_64("18446744073709551616") == 0);
    CHECK(modulo_64("18446744073709551617000") == 1000);
    CHECK(modulo_64("-9223372036854775808") == std::uint64_t{1} << 63);
    CHECK_THROWS_AS(modulo_64(""), std::logic_error);
    CHECK_THROWS_AS(modulo_64("1.5"), std::logic_error);
}

TEST_CASE("ranges of a digest are all used") {
    std::vector<int> rows(7);
    for (int i = 0; i < 7000; ++i) ++rows[range_of(digest({text(std::to_string(i))}), rows.size())];
    for (const int n : rows) CHECK(n > 800);
    CHECK(range_of(~std::uint64_t{0}, 7) == 6);
    CHECK(range_of(0, 7) == 0);
}
