// Dates, times and intervals as PostgreSQL prints them (DateStyle ISO), compared exactly over their whole range.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace pgsluice::rules {

// date, timestamp, timestamptz: days and microseconds from 2000-01-01 00:00; with a zone, of the same instant in UTC.
struct Moment {
    std::int64_t day = 0;
    std::int64_t us = 0;  // of the day

    // infinity, -infinity, years with any number of digits, " BC", an offset or Z when `zoned`. Without an offset UTC
    // is meant. Throws Unreadable.
    static Moment parse(std::string_view text, bool zoned);
    friend auto operator<=>(const Moment&, const Moment&) = default;
};

struct TimeOfDay {
    std::int64_t us = 0;      // in UTC, when zoned; 24:00:00 is a time of its own
    std::int32_t offset = 0;  // seconds west of Greenwich: decides between two times of the same instant

    static TimeOfDay parse(std::string_view text, bool zoned);
    friend auto operator<=>(const TimeOfDay&, const TimeOfDay&) = default;
};

// Months count 30 days and days 24 hours when intervals are compared (timestamp.c, interval_cmp_value).
struct Interval {
    std::int64_t days = 0;
    std::int64_t us = 0;  // 0 <= us < one day

    // IntervalStyle postgres, postgres_verbose and iso_8601. Throws Unreadable.
    static Interval parse(std::string_view text);
    friend auto operator<=>(const Interval&, const Interval&) = default;
};

}  // namespace pgsluice::rules
