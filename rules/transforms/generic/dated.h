// The parts of a date or timestamp as PostgreSQL prints it: rules change its day and leave its time as it is.
#pragma once

#include <string>
#include <string_view>

#include "rules/values/value_type.h"

namespace pgsluice::rules {

struct Dated {
    std::int64_t day = 0;   // from 2000-01-01, where it is printed, whatever that is in UTC
    std::string_view time;  // " 12:00:00.5+02", or nothing

    // Not of infinity. Throws Unreadable.
    static Dated parse(std::string_view text, ValueType type);
    // Throws Unreadable where the server would not take it.
    void append_to(std::string& out, ValueType type) const;
};

bool is_infinite(std::string_view text);
// For unfit().
std::string takes_dates(const Column& column, ValueType type);

}  // namespace pgsluice::rules
