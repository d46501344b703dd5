// The proleptic Gregorian calendar, in days from 2000-01-01. Year 0 is 1 BC.
#pragma once

#include <cstdint>
#include <string>

namespace pgsluice::rules {

struct CivilDay {
    std::int64_t year = 2000;
    std::int64_t month = 1;
    std::int64_t day = 1;
};

std::int64_t days_from_civil(const CivilDay& civil) noexcept;
CivilDay civil_from_days(std::int64_t days) noexcept;
std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept;

// As PostgreSQL prints it: "2000-01-01". " BC", which comes after a time, is left to the caller.
void append_date(std::string& out, std::int64_t days);

}  // namespace pgsluice::rules
