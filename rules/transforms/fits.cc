#include "rules/transforms/fits.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "rules/transforms/transform.h"
#include "rules/values/json_scanner.h"
#include "rules/values/moment.h"
#include "rules/values/number.h"
#include "rules/values/utf8.h"
#include "rules/values/uuid.h"

namespace pgsluice::rules {
namespace {

// As PostgreSQL prints it, because everything downstream expects that form.
void check_integer(std::string_view text, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || fmt::format("{}", value) != text || end != text.data() + text.size())
        throw Unreadable{"it is not an integer"};
    if (value < least || value > most) throw Unreadable{"it is out of range"};
}

void check_number(std::string_view text, Oid type) {
    constexpr auto max32 = std::numeric_limits<std::int32_t>::max();
    switch (type) {
        case 21:
            return check_integer(text, std::numeric_limits<std::int16_t>::min(),
                                 std::numeric_limits<std::int16_t>::max());
        case 23:
            return check_integer(text, std::numeric_limits<std::int32_t>::min(), max32);
        case 26:
            return check_integer(text, 0, std::numeric_limits<std::uint32_t>::max());
        case 20:
            return check_integer(text, std::numeric_limits<std::int64_t>::min(),
                                 std::numeric_limits<std::int64_t>::max());
        default:
            break;
    }
    Number::parse(text);
    const bool word = text == "NaN" || text == "Infinity" || text == "-Infinity";
    if (!word && !is_json(text)) throw Unreadable{"it is not a number in its plain form"};
}

void check_bytea(std::string_view text) {
    const bool hex = text.starts_with("\\x") && text.size() % 2 == 0 &&
                     text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
    if (!hex) throw Unreadable{"it is not bytea in hex form (\\x0123...)"};
}

// Throws Unreadable when the type cannot take the text.
void check(std::string_view text, const Column& column, ValueType type) {
    switch (type) {
        case ValueType::number:
            return check_number(text, column.base_oid != 0 ? column.base_oid : column.type_oid);
        case ValueType::date:
        case ValueType::timestamp:
            Moment::parse(text, false);
            return;
        case ValueType::timestamptz:
            Moment::parse(text, true);
            return;
        case ValueType::time:
            TimeOfDay::parse(text, false);
            return;
        case ValueType::timetz:
            TimeOfDay::parse(text, true);
            return;
        case ValueType::interval:
            Interval::parse(text);
            return;
        case ValueType::uuid:
            Uuid::parse(text);
            return;
        case ValueType::bytea:
            return check_bytea(text);
        case ValueType::boolean:
            if (boolean_text(text) == "f" && text != "false" && text != "f")
                throw Unreadable{"it is not true or false"};
            return;
        case ValueType::json:
            if (!is_json(text)) throw Unreadable{"it is not JSON"};
            return;
        case ValueType::array:
            if (text.find('{') == std::string_view::npos || !text.ends_with('}'))
                throw Unreadable{"it is not an array ({a,b})"};
            return;
        default:
            return;
    }
}

}  // namespace

std::string_view boolean_text(std::string_view text) { return text == "true" || text == "t" ? "t" : "f"; }

std::string does_not_fit(std::string_view text, std::string_view parameter, const Column& column, ValueType type) {
    try {
        check(text, column, type);
    } catch (const Unreadable& unreadable) {
        return fmt::format("the column is {}, but of '{}': {}", column.type_name, parameter, unreadable.reason);
    }
    return is_text(type) ? too_long(count_characters(text), column) : std::string{};
}

}  // namespace pgsluice::rules
