// What `check` says of values of one type in a column of another.
#include "sinks/postgres/column_fit.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

std::int64_t numeric(int precision, int scale) { return (precision << 16 | (scale & 0x7ff)) + 4; }

bool fits(const DeclaredType& target, const DeclaredType& source) { return fit_of(target, source) == ColumnFit{}; }
bool only_refuses(const DeclaredType& target, const DeclaredType& source) {
    return fit_of(target, source) == ColumnFit{"", true};
}
// Without an error.
bool changes(const DeclaredType& target, const DeclaredType& source) { return !fit_of(target, source).changes.empty(); }
bool only_changes(const DeclaredType& target, const DeclaredType& source) {
    return changes(target, source) && !fit_of(target, source).refuses;
}

constexpr const char* zoned = "timestamp with time zone";
constexpr const char* unzoned = "timestamp without time zone";

}  // namespace

TEST_CASE("a numeric rounds what has more digits behind the point, and refuses what has more before it") {
    CHECK(fits({"numeric", -1}, {"numeric", numeric(20, 6)}));
    CHECK(fits({"numeric", numeric(20, 6)}, {"numeric", numeric(10, 2)}));
    CHECK(only_changes({"numeric", numeric(20, 2)}, {"numeric", numeric(20, 6)}));
    CHECK(only_refuses({"numeric", numeric(10, 6)}, {"numeric", numeric(20, 6)}));
    const ColumnFit both = fit_of({"numeric", numeric(10, 2)}, {"numeric", numeric(20, 6)});
    CHECK(both == ColumnFit{"are rounded to its scale without an error", true});
    CHECK(fit_of({"numeric", numeric(10, 2)}, {"numeric", -1}) == both);
    CHECK(fit_of({"numeric", numeric(5, 2)}, {"numeric", numeric(6, 3)}) == both);  // 999.999
    CHECK(changes({"numeric", numeric(10, -2)}, {"integer", -1}));
    CHECK(fits({"numeric", numeric(10, 0)}, {"integer", -1}));
    CHECK(only_refuses({"numeric", numeric(10, 2)}, {"integer", -1}));
    CHECK(fit_of({"numeric[]", numeric(10, 2)}, {"numeric[]", numeric(20, 6)}) == both);
}

TEST_CASE("a floating number rounds, and a whole one refuses") {
    CHECK(fits({"double precision", -1}, {"real", -1}));
    CHECK(fits({"double precision", -1}, {"integer", -1}));
    CHECK(only_changes({"double precision", -1}, {"bigint", -1}));
    CHECK(only_changes({"real", -1}, {"integer", -1}));
    CHECK(changes({"real", -1}, {"double precision", -1}));
    CHECK(changes({"double precision", -1}, {"numeric", -1}));
    CHECK(fits({"bigint", -1}, {"smallint", -1}));
    CHECK(only_refuses({"integer", -1}, {"bigint", -1}));
    CHECK(only_refuses({"integer", -1}, {"numeric", -1}));
    CHECK(only_refuses({"integer", -1}, {"real", -1}));
}

TEST_CASE("a zone, a time of day, a date and fractions are lost without an error") {
    CHECK(only_changes({unzoned, -1}, {zoned, -1}));
    CHECK(only_changes({zoned, -1}, {unzoned, -1}));
    CHECK(only_changes({"date", -1}, {unzoned, -1}));
    CHECK(only_changes({"date", -1}, {zoned, -1}));
    CHECK(only_changes({"time without time zone", -1}, {unzoned, -1}));
    CHECK(only_changes({unzoned, 0}, {unzoned, -1}));
    CHECK(only_changes({zoned, 3}, {zoned, 6}));
    CHECK(fits({zoned, -1}, {zoned, 3}));
    CHECK(fits({unzoned, 6}, {unzoned, -1}));
    CHECK(fits({"date", -1}, {"date", -1}));
    constexpr std::int64_t days = (0x0008LL << 16) | 0xffff;
    CHECK(only_changes({"interval", days}, {"interval", -1}));
    CHECK(fits({"interval", -1}, {"interval", days}));
}

TEST_CASE("texts, JSON and others") {
    CHECK(fits({"text", -1}, {"json", -1}));
    CHECK(fits({"character varying", -1}, {"text", -1}));
    CHECK(fits({"character varying", 24}, {"character varying", 14}));
    CHECK(fits({"bpchar", 9}, {"bpchar", 9}));
    CHECK(fit_of({"character varying", 9}, {"text", -1}).refuses);
    CHECK(changes({"character varying", 9}, {"text", -1}));
    CHECK(only_changes({"bpchar", 14}, {"bpchar", 9}));
    CHECK(changes({"jsonb", -1}, {"json", -1}));
    CHECK(fits({"json", -1}, {"jsonb", -1}));
    CHECK(only_changes({"name", -1}, {"text", -1}));
    CHECK(changes({"money", -1}, {"numeric", -1}));
    CHECK(only_refuses({"bit varying", 3}, {"bit varying", 9}));
    CHECK(fits({"public.mood", -1}, {"public.mood", -1}));
    CHECK(fit_of({"boolean", -1}, {"integer", -1}).refuses);
    CHECK(changes({"boolean", -1}, {"integer", -1}));
}
