#include "sinks/postgres/column_fit.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

namespace {

constexpr const char* own_form = "are stored in that type's own form, where it reads them";
constexpr const char* by_its_scale = "are rounded to its scale without an error";
constexpr const char* by_its_precision = "are rounded to its precision without an error";

// By how many digits each can have; a name that is not here is no whole number.
int digits_of_whole(std::string_view base) {
    if (base == "smallint") return 5;
    if (base == "integer") return 10;
    return base == "bigint" ? 19 : 0;
}

// Significant bits.
int bits_of(std::string_view base) {
    if (base == "smallint") return 15;
    if (base == "integer") return 31;
    if (base == "bigint") return 63;
    if (base == "real") return 24;
    return base == "double precision" ? 53 : 0;
}

bool is_any(std::string_view base, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, base) != names.end();
}
bool is_text(std::string_view base) { return is_any(base, {"text", "character varying", "bpchar"}); }
bool is_floating(std::string_view base) { return is_any(base, {"real", "double precision"}); }
bool is_numeric_type(std::string_view base) {
    return base == "numeric" || is_floating(base) || digits_of_whole(base) > 0;
}
bool has_day(std::string_view base) { return base.starts_with("timestamp") || base == "date"; }
bool has_clock(std::string_view base) { return base.starts_with("time"); }
bool has_zone(std::string_view base) { return base.ends_with("with time zone"); }

// numeric(p,s), whose typmod has both after an offset of 4 (src/backend/utils/adt/numeric.c).
int precision_of(std::int64_t typmod) { return static_cast<int>(((typmod - 4) >> 16) & 0xffff); }

ColumnFit fit_in_numeric(const DeclaredType& target, const DeclaredType& source) {
    if (target.typmod == -1) return {};
    const int scale = numeric_scale(target.typmod);
    const int whole = precision_of(target.typmod) - scale;
    if (const int digits = digits_of_whole(source.base); digits > 0)
        return {scale < 0 ? by_its_scale : "", digits > whole};
    if (source.base != "numeric" || source.typmod == -1) return {by_its_scale, true};
    const bool rounds = numeric_scale(source.typmod) > scale;
    // 9.99 may become 10.0.
    const int needed = precision_of(source.typmod) - numeric_scale(source.typmod) + (rounds ? 1 : 0);
    return {rounds ? by_its_scale : "", needed > whole};
}

ColumnFit fit_of_numbers(const DeclaredType& target, const DeclaredType& source) {
    if (target.base == "numeric") return fit_in_numeric(target, source);
    if (is_floating(target.base)) {
        const bool exact = bits_of(source.base) > 0 && bits_of(source.base) <= bits_of(target.base);
        const bool has_range = source.base == "numeric" || source.base == "double precision";
        return {exact ? "" : by_its_precision, has_range && target.base != source.base};
    }
    const int digits = digits_of_whole(source.base);
    return {"", digits == 0 || digits > digits_of_whole(target.base)};
}

// Fractions of seconds that a type has; 6 unless it says so.
std::int64_t fraction_of(const DeclaredType& type) {
    if (!has_clock(type.base)) return 0;
    return type.typmod == -1 ? 6 : type.typmod;
}

ColumnFit fit_of_times(const DeclaredType& target, const DeclaredType& source) {
    if (has_day(source.base) && !has_day(target.base)) return {"lose their date without an error", false};
    if (!has_day(source.base) && has_day(target.base)) return {"", true};
    if (has_clock(source.base) && !has_clock(target.base)) return {"lose their time of day without an error", false};
    if (has_zone(source.base) && !has_zone(target.base))
        return {"are stored as what clocks show in UTC, without a zone and without an error", false};
    if (!has_zone(source.base) && has_zone(target.base))
        return {"are taken to be in UTC without an error", source.base == "date"};
    return {fraction_of(source) > fraction_of(target) ? by_its_precision : "",
            source.base == "date" && target.base != "date"};
}

// An interval's typmod: its fields above, its precision below (src/include/utils/timestamp.h).
ColumnFit fit_of_intervals(const DeclaredType& target, const DeclaredType& source) {
    constexpr std::int64_t all = 0x7fffffff;
    const std::int64_t to = target.typmod == -1 ? all : target.typmod;
    const std::int64_t from = source.typmod == -1 ? all : source.typmod;
    const bool keeps_fields = to >> 16 == all >> 16 || to >> 16 == from >> 16;
    const bool keeps_fraction = (to & 0xffff) >= (from & 0xffff);
    return {keeps_fields && keeps_fraction ? "" : "lose fields or fractions that it does not have, without an error",
            false};
}

ColumnFit fit_in_text(const DeclaredType& target, const DeclaredType& source) {
    if (target.typmod == -1) return {};
    if (is_text(source.base) && target.base == source.base && source.typmod == target.typmod) return {};
    const bool shorter = !is_text(source.base) || source.typmod == -1 || source.typmod > target.typmod;
    if (target.base == "bpchar")
        return {"are filled up with blanks to its length, and blanks beyond it are cut, without an error", shorter};
    return {shorter ? "lose blanks at their end that are beyond its length, without an error" : "", shorter};
}

// No table of lengths is known of.
ColumnFit fit_of_same(const DeclaredType& target, const DeclaredType& source) {
    if (target.typmod == -1 || target.typmod == source.typmod) return {};
    if (is_any(target.base, {"bit", "bit varying"}))
        return {"", target.base == "bit" || source.typmod == -1 || source.typmod > target.typmod};
    return {own_form, true};
}

}  // namespace

ColumnFit fit_of(const DeclaredType& target, const DeclaredType& source) {
    const std::string& to = target.base;
    const std::string& from = source.base;
    if (to.ends_with("[]") && from.ends_with("[]"))
        return fit_of({to.substr(0, to.size() - 2), target.typmod}, {from.substr(0, from.size() - 2), source.typmod});
    if (is_text(to)) return fit_in_text(target, source);
    if (is_numeric_type(to) && is_numeric_type(from)) return fit_of_numbers(target, source);
    if ((has_day(to) || has_clock(to)) && (has_day(from) || has_clock(from))) return fit_of_times(target, source);
    if (to == "interval" && from == "interval") return fit_of_intervals(target, source);
    if (to == from) return fit_of_same(target, source);
    if (to == "jsonb" && from == "json")
        return {"lose blanks, the order of keys and keys that are there twice, without an error", true};
    if (to == "json" && from == "jsonb") return {};
    if (to == "inet" && from == "cidr") return {};
    if (to == "money" && is_numeric_type(from)) return {"are rounded to cents without an error", true};
    if (is_any(to, {"name", "\"char\""})) return {"are cut to its length without an error", false};
    return {own_form, true};
}

bool loses_values(const ColumnFit& fit) { return !fit.changes.empty() && fit.changes != own_form; }

}  // namespace pgsluice
