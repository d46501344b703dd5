#include "sinks/postgres/binary_form.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <optional>

#include "sql/big_endian.h"
#include "stream/base/ascii.h"
#include "stream/base/hex.h"

namespace pgsluice {

namespace {

struct NamedForm {
    std::string_view type;  // by format_type()
    std::string_view name;
    Oid oid;
};

// In BinaryForm's order. PostgreSQL's pg_type.dat has the numbers, which do not change.
constexpr std::array<NamedForm, 12> forms{{{"text", "text", 25},
                                           {"smallint", "int2", 21},
                                           {"integer", "int4", 23},
                                           {"bigint", "int8", 20},
                                           {"real", "float4", 700},
                                           {"double precision", "float8", 701},
                                           {"boolean", "bool", 16},
                                           {"date", "date", 1082},
                                           {"timestamp without time zone", "timestamp", 1114},
                                           {"timestamp with time zone", "timestamptz", 1184},
                                           {"uuid", "uuid", 2950},
                                           {"numeric", "numeric", 1700}}};

const NamedForm& form_at(BinaryForm form) { return forms.at(static_cast<std::size_t>(form)); }

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

template <typename Signed>
bool append_integer(std::string& out, std::string_view text) {
    const auto value = number<Signed>(text);
    if (!value) return false;
    append_big_endian(out, static_cast<std::make_unsigned_t<Signed>>(*value));
    return true;
}

// Not of "infinity" and "NaN", whose spellings from_chars() has its own mind about.
template <typename Float, typename Bits>
bool append_float(std::string& out, std::string_view text) {
    if (text.empty() || !is_ascii_digit(text.back())) return false;
    const auto value = number<Float>(text);
    if (!value) return false;
    append_big_endian(out, std::bit_cast<Bits>(*value));
    return true;
}

bool append_boolean(std::string& out, std::string_view text) {
    if (text != "t" && text != "f") return false;
    out.push_back(text == "t" ? '\1' : '\0');
    return true;
}

// Of exactly these digits.
std::optional<int> digits(std::string_view text) {
    int value = 0;
    for (const char c : text) {
        if (!is_ascii_digit(c)) return std::nullopt;
        value = 10 * value + (c - '0');
    }
    return value;
}

// "2000-01-31" as days from 2000-01-01.
std::optional<std::int32_t> days(std::string_view text) {
    using namespace std::chrono;
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto y = digits(text.substr(0, 4));
    const auto m = digits(text.substr(5, 2));
    const auto d = digits(text.substr(8, 2));
    if (!y || !m || !d || *y == 0) return std::nullopt;
    const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
    if (!date.ok()) return std::nullopt;
    return (sys_days(date) - sys_days(year(2000) / 1 / 1)).count();
}

// "23:59:59.123456" as microseconds.
std::optional<std::int64_t> time_of_day(std::string_view text) {
    if (text.size() < 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
    const auto h = digits(text.substr(0, 2));
    const auto m = digits(text.substr(3, 2));
    const auto s = digits(text.substr(6, 2));
    if (!h || !m || !s || *h > 23 || *m > 59 || *s > 59) return std::nullopt;
    std::string_view fraction = text.substr(8);
    std::int64_t micros = 0;
    if (!fraction.empty()) {
        if (fraction.size() < 2 || fraction.size() > 7 || fraction[0] != '.') return std::nullopt;
        fraction.remove_prefix(1);
        const auto value = digits(fraction);
        if (!value) return std::nullopt;
        micros = *value;
        for (std::size_t i = fraction.size(); i < 6; ++i) micros *= 10;
    }
    return ((*h * 60 + *m) * 60 + *s) * std::int64_t{1000000} + micros;
}

bool append_date(std::string& out, std::string_view text) {
    const auto day = days(text);
    if (!day) return false;
    append_big_endian(out, static_cast<std::uint32_t>(*day));
    return true;
}

bool append_timestamp(std::string& out, std::string_view text) {
    if (text.size() < 19 || text[10] != ' ') return false;
    const auto day = days(text.substr(0, 10));
    const auto time = time_of_day(text.substr(11));
    if (!day || !time) return false;
    append_big_endian(out, static_cast<std::uint64_t>(std::int64_t{*day} * 86'400'000'000 + *time));
    return true;
}

bool append_uuid(std::string& out, std::string_view text) {
    constexpr std::array<std::size_t, 4> dashes{8, 13, 18, 23};
    if (text.size() != 36) return false;
    std::string digits(text);
    for (auto at = dashes.rbegin(); at != dashes.rend(); ++at) {
        if (digits[*at] != '-') return false;
        digits.erase(*at, 1);
    }
    out.resize(out.size() + 16);
    return decode_hex(digits, out.data() + out.size() - 16);
}

// Digits to the base of 10,000: how many there are, the first one's exponent, the sign, the decimal digits after the
// point, and the digits, without zeros at either end (numeric_recv() in PostgreSQL's numeric.c).
bool append_numeric(std::string& out, std::string_view text) {
    constexpr std::size_t longest = 200;
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
    if (text.size() > longest || whole.empty() || (point < text.size() && fraction.empty())) return false;
    if (!std::all_of(whole.begin(), whole.end(), is_ascii_digit)) return false;
    if (!std::all_of(fraction.begin(), fraction.end(), is_ascii_digit)) return false;

    std::array<std::uint16_t, longest / 4 + 2> groups{};
    const std::size_t before = (whole.size() + 3) / 4;
    const std::size_t count = before + (fraction.size() + 3) / 4;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::uint16_t& group = groups[before - 1 - (whole.size() - 1 - i) / 4];
        group = static_cast<std::uint16_t>(10 * group + (whole[i] - '0'));
    }
    for (std::size_t i = 0; i < 4 * (count - before); ++i) {
        std::uint16_t& group = groups[before + i / 4];
        group = static_cast<std::uint16_t>(10 * group + (i < fraction.size() ? fraction[i] - '0' : 0));
    }
    std::size_t first = 0;
    std::size_t last = count;
    while (first < last && groups[first] == 0) ++first;
    while (first < last && groups[last - 1] == 0) --last;
    const bool zero = first == last;
    append_big_endian(out, static_cast<std::uint16_t>(last - first));
    append_big_endian(out, static_cast<std::uint16_t>(zero ? 0 : static_cast<int>(before - first) - 1));
    append_big_endian(out, static_cast<std::uint16_t>(negative && !zero ? 0x4000 : 0));
    append_big_endian(out, static_cast<std::uint16_t>(fraction.size()));
    for (std::size_t i = first; i < last; ++i) append_big_endian(out, groups[i]);
    return true;
}

}  // namespace

BinaryForm binary_form_of(std::string_view type) {
    const auto* found = std::find_if(forms.begin(), forms.end(), [&](const NamedForm& f) { return f.type == type; });
    return found == forms.end() ? BinaryForm::text : static_cast<BinaryForm>(found - forms.begin());
}

std::string_view type_name(BinaryForm form) { return form_at(form).name; }

Oid type_oid(BinaryForm form) { return form_at(form).oid; }

bool append_binary(std::string& out, BinaryForm form, std::string_view text) {
    switch (form) {
        case BinaryForm::text:
            out.append(text);
            return true;
        case BinaryForm::int2:
            return append_integer<std::int16_t>(out, text);
        case BinaryForm::int4:
            return append_integer<std::int32_t>(out, text);
        case BinaryForm::int8:
            return append_integer<std::int64_t>(out, text);
        case BinaryForm::float4:
            return append_float<float, std::uint32_t>(out, text);
        case BinaryForm::float8:
            return append_float<double, std::uint64_t>(out, text);
        case BinaryForm::boolean:
            return append_boolean(out, text);
        case BinaryForm::date:
            return append_date(out, text);
        case BinaryForm::timestamp:
            return append_timestamp(out, text);
        case BinaryForm::timestamptz:
            return text.ends_with("+00") && append_timestamp(out, text.substr(0, text.size() - 3));
        case BinaryForm::uuid:
            return append_uuid(out, text);
        case BinaryForm::numeric:
            return append_numeric(out, text);
    }
    return false;
}

}  // namespace pgsluice
