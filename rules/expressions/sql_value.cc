#include "rules/expressions/sql_value.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "rules/expressions/exact_numeric.h"
#include "rules/place.h"
#include "rules/values/calendar.h"
#include "rules/values/moment.h"
#include "rules/values/number.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

constexpr std::int64_t date_end = std::numeric_limits<std::int64_t>::max();  // infinity; -date_end is -infinity
constexpr std::int64_t first_date = -2451545;                                // 4714-11-24 BC
constexpr std::int64_t last_date = 2145031948;                               // 5874897-12-31

std::string_view trimmed(std::string_view text) {
    constexpr const char* spaces = " \t\n\v\f\r";
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    return text.substr(0, text.find_last_not_of(spaces) + 1);
}

std::int64_t in_range(__int128 number, SqlType type) {
    const int bits = type == SqlType::smallint ? 15 : type == SqlType::integer ? 31 : 63;
    const __int128 end = __int128{1} << bits;
    if (number < -end || number >= end) throw Unreadable{"the number is out of range"};
    return static_cast<std::int64_t>(number);
}

std::int64_t read_integer(std::string_view text, SqlType type) {
    text = trimmed(text);
    if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) throw Unreadable{"the number is out of range"};
    if (error != std::errc{} || end != text.data() + text.size()) throw Unreadable{"it is not a whole number"};
    return in_range(number, type);
}

bool is_special(std::string_view text) { return text == "NaN" || text == "Infinity" || text == "-Infinity"; }

bool read_boolean(std::string_view text) {
    std::string lower(trimmed(text));
    for (char& c : lower) c = ascii_lower(c);
    const auto begins = [&](std::string_view word, std::size_t least) {
        return lower.size() >= least && word.starts_with(lower);
    };
    if (begins("true", 1) || begins("yes", 1) || lower == "on" || lower == "1") return true;
    if (begins("false", 1) || begins("no", 1) || begins("off", 2) || lower == "0") return false;
    throw Unreadable{"it is not a boolean"};
}

// Years of more than four digits, infinity and BC as PostgreSQL prints them; nothing else of what its input takes.
std::int64_t read_date(std::string_view text) {
    const std::string_view digits = text.ends_with(" BC") ? text.substr(0, text.size() - 3) : text;
    const bool written = text == "infinity" || text == "-infinity" ||
                         (digits.size() >= 10 && digits.find('-') == digits.size() - 6 &&
                          digits.find_first_not_of("0123456789-") == std::string_view::npos);
    try {
        if (written) return Moment::parse(text, false).day;
    } catch (const Unreadable&) {  // says less of what it is
    }
    throw Unreadable{"it is not a date"};
}

std::string print_date(std::int64_t days) {
    if (days == date_end) return "infinity";
    if (days == -date_end) return "-infinity";
    std::string text;
    append_date(text, days);
    if (civil_from_days(days).year <= 0) text += " BC";
    return text;
}

}  // namespace

std::string_view name_of(SqlType type) {
    constexpr std::string_view names[] = {"boolean", "smallint", "integer", "bigint", "numeric", "text", "date"};
    return names[static_cast<std::size_t>(type)];
}

std::uint32_t oid_of(SqlType type) {
    constexpr std::uint32_t oids[] = {16, 21, 23, 20, 1700, 25, 1082};
    return oids[static_cast<std::size_t>(type)];
}

SqlValue read_value(std::string_view text, SqlType type) {
    switch (type) {
        case SqlType::boolean:
            return SqlValue::of(read_boolean(text) ? 1 : 0);
        case SqlType::numeric:
            return SqlValue::of(is_special(text) ? std::string(text) : tidy_numeric(trimmed(text)));
        case SqlType::text:
            return SqlValue::of(std::string(text));
        case SqlType::date:
            return SqlValue::of(read_date(text));
        default:
            return SqlValue::of(read_integer(text, type));
    }
}

std::string print_value(const SqlValue& value, SqlType type) {
    if (type == SqlType::boolean) return value.number != 0 ? "t" : "f";
    if (type == SqlType::date) return print_date(value.number);
    return is_integer(type) ? std::to_string(value.number) : value.text;
}

bool can_cast(SqlType from, SqlType to) {
    if (from == to || (is_number(from) && is_number(to))) return true;
    if (from == SqlType::date || to == SqlType::date) return false;  // how a date is written is a setting
    if (from == SqlType::text || to == SqlType::text) return true;
    return from == SqlType::integer || to == SqlType::integer;  // what is left is boolean
}

SqlValue cast_value(const SqlValue& value, SqlType from, SqlType to) {
    if (from == to) return value;
    if (to == SqlType::text && from == SqlType::boolean) return SqlValue::of(value.number != 0 ? "true" : "false");
    if (to == SqlType::text || to == SqlType::numeric)
        return to == SqlType::text     ? SqlValue::of(print_value(value, from))
               : from == SqlType::text ? read_value(value.text, to)
                                       : SqlValue::of(print_value(value, from));
    if (from == SqlType::text) return read_value(value.text, to);
    if (from == SqlType::numeric) return SqlValue::of(read_integer(round_numeric(value.text), to));
    if (to == SqlType::boolean) return SqlValue::of(value.number != 0 ? 1 : 0);
    return SqlValue::of(in_range(value.number, to));
}

int compare_values(const SqlValue& a, const SqlValue& b, SqlType type) {
    if (type == SqlType::text) return a.text == b.text ? 0 : a.text < b.text ? -1 : 1;
    if (type != SqlType::numeric) return a.number == b.number ? 0 : a.number < b.number ? -1 : 1;
    const auto order = Number::parse(a.text) <=> Number::parse(b.text);
    return order == 0 ? 0 : order < 0 ? -1 : 1;
}

SqlValue calculate(char op, const SqlValue& a, const SqlValue& b, SqlType type) {
    if (type == SqlType::numeric) return SqlValue::of(calculate_numeric(op, a.text, b.text));
    const __int128 x = a.number;
    const __int128 y = b.number;
    if ((op == '/' || op == '%') && y == 0) throw Unreadable{"division by zero"};
    return SqlValue::of(in_range(op == '+'   ? x + y
                                 : op == '-' ? x - y
                                 : op == '*' ? x * y
                                 : op == '/' ? x / y
                                             : x % y,
                                 type));
}

SqlValue add_days(const SqlValue& date, std::int64_t days) {
    if (date.number == date_end || date.number == -date_end) return date;
    const std::int64_t sum = date.number + days;
    if (sum < first_date || sum > last_date) throw Unreadable{"the date is out of range"};
    return SqlValue::of(sum);
}

std::optional<DateField> date_field(std::string_view name) {
    constexpr std::string_view names[] = {"year", "quarter", "month", "day", "dow", "isodow", "doy"};
    const auto found = std::ranges::find(names, name);
    if (found == std::end(names)) return std::nullopt;
    return static_cast<DateField>(found - std::begin(names));
}

SqlValue extract_of(DateField field, const SqlValue& date) {
    if (date.number == date_end || date.number == -date_end)
        return field != DateField::year ? SqlValue{}
                                        : SqlValue::of(std::string(date.number > 0 ? "Infinity" : "-Infinity"));
    const CivilDay civil = civil_from_days(date.number);
    const std::int64_t from_sunday = ((date.number + 6) % 7 + 7) % 7;  // 2000-01-01 was a Saturday
    switch (field) {
        case DateField::year:  // there is no year 0
            return SqlValue::of(std::to_string(civil.year > 0 ? civil.year : civil.year - 1));
        case DateField::quarter:
            return SqlValue::of(std::to_string((civil.month - 1) / 3 + 1));
        case DateField::month:
            return SqlValue::of(std::to_string(civil.month));
        case DateField::day:
            return SqlValue::of(std::to_string(civil.day));
        case DateField::dow:
            return SqlValue::of(std::to_string(from_sunday));
        case DateField::isodow:
            return SqlValue::of(std::to_string(from_sunday == 0 ? 7 : from_sunday));
        default:
            return SqlValue::of(std::to_string(date.number - days_from_civil({civil.year, 1, 1}) + 1));
    }
}

SqlValue days_between(const SqlValue& date, const SqlValue& from) {
    for (const SqlValue* one : {&date, &from})
        if (one->number == date_end || one->number == -date_end) throw Unreadable{"the date is infinite"};
    return SqlValue::of(in_range(__int128{date.number} - from.number, SqlType::integer));
}

}  // namespace pgsluice::rules
