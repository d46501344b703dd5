#include "sinks/lines/rfc3339.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace pgsluice {

namespace {

struct Fields {
    int year;
    unsigned month, day;
    long hour, minute, second, microsecond;
};

Fields fields_of(std::int64_t unix_us) {
    using namespace std::chrono;
    const sys_time<microseconds> time{microseconds{unix_us}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    return {static_cast<int>(date.year()),     static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()), clock.hours().count(),
            clock.minutes().count(),           clock.seconds().count(),
            clock.subseconds().count()};
}

}  // namespace

void append_rfc3339(std::string& out, std::int64_t unix_us) {
    const Fields f = fields_of(unix_us);
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", f.year, f.month, f.day,
                   f.hour, f.minute, f.second, f.microsecond);
}

std::string compact_time(std::int64_t unix_us) {
    const Fields f = fields_of(unix_us);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:06}Z", f.year, f.month, f.day, f.hour, f.minute, f.second,
                       f.microsecond);
}

std::int64_t now_unix_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace pgsluice
