#include "rules/values/calendar.h"

#include <fmt/format.h>

#include <iterator>

namespace pgsluice::rules {
namespace {

constexpr std::int64_t days_per_era = 146097;  // of 400 years
constexpr std::int64_t epoch = 730425;         // 2000-01-01, counted from 0000-03-01

}  // namespace

std::int64_t days_from_civil(const CivilDay& civil) noexcept {
    const std::int64_t year = civil.year - (civil.month <= 2 ? 1 : 0);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (civil.month + (civil.month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
    return era * days_per_era + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - epoch;
}

CivilDay civil_from_days(std::int64_t days) noexcept {
    days += epoch;
    const std::int64_t era = (days >= 0 ? days : days - (days_per_era - 1)) / days_per_era;
    const std::int64_t of_era = days - era * days_per_era;
    const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / (days_per_era - 1)) / 365;
    const std::int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;  // from March
    CivilDay civil;
    civil.day = day_of_year - (153 * month + 2) / 5 + 1;
    civil.month = month < 10 ? month + 3 : month - 9;
    civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
    return civil;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept {
    constexpr int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month_days[month - 1] + (month == 2 && leap ? 1 : 0);
}

void append_date(std::string& out, std::int64_t days) {
    const CivilDay civil = civil_from_days(days);
    const std::int64_t year = civil.year > 0 ? civil.year : 1 - civil.year;
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", year, civil.month, civil.day);
}

}  // namespace pgsluice::rules
