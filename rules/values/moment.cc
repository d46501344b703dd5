#include "rules/values/moment.h"

#include <limits>
#include <optional>

#include "rules/place.h"
#include "rules/values/calendar.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t us_per_minute = 60 * us_per_second;
constexpr std::int64_t us_per_hour = 60 * us_per_minute;
constexpr std::int64_t us_per_day = 24 * us_per_hour;
constexpr std::int64_t forever_us = std::numeric_limits<std::int64_t>::max();

// Reads a text from left to right; whatever it does not find is Unreadable as `what`.
class Reader {
   public:
    Reader(std::string_view text, const char* what) : text_(text), what_(what) {}

    [[noreturn]] void fail() const { throw Unreadable{what_}; }
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
    bool skip(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!skip(c)) fail();
    }
    void expect_end() const {
        if (!at_end()) fail();
    }
    bool skip_word(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    std::string_view word() {
        const std::size_t start = at_;
        while (!at_end() && ((peek() >= 'a' && peek() <= 'z') || (peek() >= 'A' && peek() <= 'Z'))) ++at_;
        return text_.substr(start, at_ - start);
    }
    char letter() { return at_end() ? '\0' : text_[at_++]; }
    std::int64_t number(int least_digits, int most_digits) {
        std::int64_t value = 0;
        int digits = 0;
        for (; is_ascii_digit(peek()); ++at_, ++digits) {
            if (digits == most_digits) fail();
            value = value * 10 + (peek() - '0');
        }
        if (digits < least_digits) fail();
        return value;
    }
    std::int64_t two_digits(int most) {
        const std::int64_t value = number(1, 2);
        if (value > most) fail();
        return value;
    }
    // What follows a decimal point, in millionths; 0 without a point.
    std::int64_t fraction() {
        if (!skip('.')) return 0;
        std::int64_t value = 0;
        for (int i = 0; i < 6; ++i) value = value * 10 + (is_ascii_digit(peek()) ? text_[at_++] - '0' : 0);
        while (peek() == '0') ++at_;  // finer than microseconds only when it says nothing
        return value;
    }
    std::optional<int> sign() {
        if (skip('-')) return -1;
        if (skip('+')) return 1;
        return std::nullopt;
    }

   private:
    std::string_view text_;
    const char* what_;
    std::size_t at_ = 0;
};

// HH:MM[:SS[.ffffff]]
std::int64_t clock(Reader& reader) {
    std::int64_t us = reader.two_digits(24) * us_per_hour;
    reader.expect(':');
    us += reader.two_digits(59) * us_per_minute;
    if (reader.skip(':')) us += reader.two_digits(60) * us_per_second + reader.fraction();
    if (us > us_per_day) reader.fail();
    return us;
}

// Z, UTC, +HH, +HH:MM, +HHMM, +HH:MM:SS: seconds east of Greenwich.
std::int64_t read_offset(Reader& reader) {
    if (reader.skip('Z') || reader.skip('z')) return 0;
    if (reader.skip_word("UTC")) return 0;
    const auto sign = reader.sign();
    if (!sign) return 0;
    std::int64_t seconds = 0;
    std::int64_t hours = reader.number(1, 4);
    if (hours > 99) {
        seconds = hours / 100 * 3600 + hours % 100 * 60;
    } else {
        seconds = hours * 3600;
        if (reader.skip(':')) seconds += reader.two_digits(59) * 60;
        if (reader.skip(':')) seconds += reader.two_digits(59);
    }
    return *sign * seconds;
}

Moment normal(std::int64_t day, std::int64_t us) {
    day += us / us_per_day;
    us %= us_per_day;
    return us < 0 ? Moment{day - 1, us + us_per_day} : Moment{day, us};
}

}  // namespace

Moment Moment::parse(std::string_view text, bool zoned) {
    if (text == "infinity") return {forever_us, 0};
    if (text == "-infinity") return {-forever_us, 0};
    const bool before_christ = text.ends_with(" BC");
    if (before_christ) text.remove_suffix(3);
    Reader reader(text, "it is not a date or time as DateStyle ISO writes it");
    std::int64_t year = reader.number(4, 9);
    if (year == 0) reader.fail();
    if (before_christ) year = 1 - year;
    reader.expect('-');
    const std::int64_t month = reader.two_digits(12);
    reader.expect('-');
    const std::int64_t day = reader.two_digits(31);
    if (month == 0 || day == 0 || day > days_in_month(year, month)) reader.fail();
    std::int64_t us = 0;
    if (reader.skip(' ') || reader.skip('T')) {
        us = clock(reader);
        reader.skip(' ');
        const std::int64_t east = read_offset(reader);
        if (east != 0 && !zoned) reader.fail();
        us -= east * us_per_second;
    }
    reader.expect_end();
    return normal(days_from_civil({year, month, day}), us);
}

TimeOfDay TimeOfDay::parse(std::string_view text, bool zoned) {
    Reader reader(text, "it is not a time of the day");
    const std::int64_t us = clock(reader);
    reader.skip(' ');
    const std::int64_t west = -read_offset(reader);
    if (west != 0 && !zoned) reader.fail();
    reader.expect_end();
    return {us + west * us_per_second, static_cast<std::int32_t>(west)};
}

namespace {

struct Span {
    __int128 months = 0;
    __int128 days = 0;
    __int128 us = 0;
};

// `value` with `fraction` millionths of the unit; only units of a fixed length take a fraction.
void add(Span& span, std::string_view unit, std::int64_t value, std::int64_t fraction, const Reader& reader) {
    const auto any = [unit](auto... names) { return ((unit == names) || ...); };
    const auto fixed = [&](std::int64_t us) {
        span.us += static_cast<__int128>(value) * us + static_cast<__int128>(fraction) * us / us_per_second;
    };
    if (any("s", "sec", "secs", "second", "seconds")) return fixed(us_per_second);
    if (any("min", "mins", "minute", "minutes")) return fixed(us_per_minute);
    if (any("h", "hour", "hours")) return fixed(us_per_hour);
    if (fraction != 0) reader.fail();
    if (any("d", "day", "days")) {
        span.days += value;
    } else if (any("w", "week", "weeks")) {
        span.days += 7 * static_cast<__int128>(value);
    } else if (any("mon", "mons", "month", "months")) {
        span.months += value;
    } else if (any("y", "year", "years")) {
        span.months += 12 * static_cast<__int128>(value);
    } else {
        reader.fail();
    }
}

// P1Y2M3DT4H5M6.7S, each number with a sign of its own.
Span iso_interval(Reader& reader) {
    Span span;
    bool time = false;
    if (reader.at_end()) reader.fail();
    while (!reader.at_end()) {
        if (!time && reader.skip('T')) {
            time = true;
            continue;
        }
        const int sign = reader.sign().value_or(1);
        const std::int64_t value = reader.number(1, 15);
        const std::int64_t fraction = reader.fraction();
        const char unit = reader.letter();
        const std::string_view name = unit == 'Y'   ? "year"
                                      : unit == 'M' ? (time ? "min" : "month")
                                      : unit == 'W' ? "week"
                                      : unit == 'D' ? "day"
                                      : unit == 'H' ? "hour"
                                      : unit == 'S' ? "sec"
                                                    : "";
        add(span, name, sign * value, sign * fraction, reader);
    }
    return span;
}

// "1 year -2 mons +3 days -04:05:06.7", "@ 1 day 2 hours ago".
Span worded_interval(Reader& reader) {
    Span span;
    bool ago = false;
    bool any = false;
    reader.skip('@');
    while (true) {
        while (reader.skip(' ')) {
        }
        if (reader.at_end()) break;
        if (any && reader.skip_word("ago")) {
            ago = true;
            break;
        }
        any = true;
        const int sign = reader.sign().value_or(1);
        const std::int64_t value = reader.number(1, 15);
        if (reader.skip(':')) {
            __int128 us = static_cast<__int128>(value) * us_per_hour + reader.two_digits(59) * us_per_minute;
            if (reader.skip(':')) us += reader.two_digits(59) * us_per_second + reader.fraction();
            span.us += sign * us;
            continue;
        }
        const std::int64_t fraction = reader.fraction();
        reader.skip(' ');
        const std::string_view unit = reader.word();
        if (unit.empty() && value == 0 && reader.at_end()) break;  // "@ 0"
        add(span, unit, sign * value, sign * fraction, reader);
    }
    if (!any) reader.fail();
    if (ago) span = {-span.months, -span.days, -span.us};
    return span;
}

}  // namespace

Interval Interval::parse(std::string_view text) {
    if (text == "infinity") return {forever_us, 0};
    if (text == "-infinity") return {-forever_us, 0};
    Reader reader(text, "it is not an interval in a style we read (IntervalStyle postgres or iso_8601)");
    const Span span = reader.skip('P') ? iso_interval(reader) : worded_interval(reader);
    reader.expect_end();
    const __int128 total = (span.months * 30 + span.days) * us_per_day + span.us;
    __int128 days = total / us_per_day;
    __int128 us = total % us_per_day;
    if (us < 0) {
        us += us_per_day;
        --days;
    }
    return {static_cast<std::int64_t>(days), static_cast<std::int64_t>(us)};
}

}  // namespace pgsluice::rules
