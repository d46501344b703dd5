// Values of expressions, of the types that these know, and what PostgreSQL's functions make of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::rules {

enum class SqlType : std::uint8_t { boolean, smallint, integer, bigint, numeric, text, date };

std::string_view name_of(SqlType type);
std::uint32_t oid_of(SqlType type);  // in pg_type
inline bool is_integer(SqlType type) { return type >= SqlType::smallint && type <= SqlType::bigint; }
inline bool is_number(SqlType type) { return is_integer(type) || type == SqlType::numeric; }

struct SqlValue {
    bool null = true;
    std::int64_t number = 0;  // of booleans (0 and 1), integers and dates (days from 2000-01-01)
    std::string text{};       // of numeric, as PostgreSQL prints it, and text

    static SqlValue of(std::int64_t number) { return {false, number, {}}; }
    static SqlValue of(std::string text) { return {false, 0, std::move(text)}; }
};

// What is not of the type, is out of range or in a form that is not known throws Unreadable, here and below.
SqlValue read_value(std::string_view text, SqlType type);
// As PostgreSQL prints it; not for NULL.
std::string print_value(const SqlValue& value, SqlType type);
bool can_cast(SqlType from, SqlType to);
// An explicit cast that can_cast() knows; not for NULL.
SqlValue cast_value(const SqlValue& value, SqlType from, SqlType to);

// -1, 0, 1; not for NULL, and for one type.
int compare_values(const SqlValue& a, const SqlValue& b, SqlType type);
// + - * of two numbers of one type, / and % of integers.
SqlValue calculate(char op, const SqlValue& a, const SqlValue& b, SqlType type);
// date + integer, date - integer, and date - date, which is an integer.
SqlValue add_days(const SqlValue& date, std::int64_t days);
SqlValue days_between(const SqlValue& date, const SqlValue& from);
enum class DateField : std::uint8_t { year, quarter, month, day, dow, isodow, doy };
std::optional<DateField> date_field(std::string_view name);
// extract(field FROM date), which is numeric.
SqlValue extract_of(DateField field, const SqlValue& date);

bool is_like(std::string_view text, std::string_view pattern);
std::int64_t length_of(std::string_view text);
std::string substring_of(std::string_view text, std::int64_t from, const std::int64_t* length);
// The first or last characters; less than 0: all but so many at the other end.
std::string left_of(std::string_view text, std::int64_t count);
std::string right_of(std::string_view text, std::int64_t count);
std::string trimmed_of(std::string_view text, std::string_view characters, bool left, bool right);
std::string replaced_of(std::string_view text, std::string_view what, std::string_view by);
std::int64_t position_of(std::string_view text, std::string_view part);  // from 1; 0: it is not there
enum class TextCase : std::uint8_t { lower, upper, initial };
std::string in_ascii_case(std::string_view text, TextCase wanted);

}  // namespace pgsluice::rules
