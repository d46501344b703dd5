#include "stream/definition/type_conversion.h"

#include <algorithm>
#include <array>

namespace pgsluice {

namespace {

// Types of PostgreSQL itself, by oid.
constexpr Oid int8 = 20, int2 = 21, int4 = 23, text = 25, float4 = 700, float8 = 701, varchar = 1043, date = 1082,
              timestamp = 1114, timestamptz = 1184, numeric = 1700;

struct Types {
    Oid from;
    Oid to;
};

constexpr std::array certain = {
    Types{int2, int4},           Types{int2, int8},
    Types{int4, int8},           Types{int4, int2},
    Types{int8, int2},           Types{int8, int4},
    Types{int2, numeric},        Types{int4, numeric},
    Types{int8, numeric},        Types{int2, float8},
    Types{int4, float8},         Types{float4, float8},
    Types{int2, text},           Types{int4, text},
    Types{int8, text},           Types{int2, varchar},
    Types{int4, varchar},        Types{int8, varchar},
    Types{text, varchar},        Types{varchar, text},
    Types{varchar, varchar},     Types{numeric, numeric},
    Types{date, timestamp},      Types{timestamp, date},
    Types{timestamp, timestamp}, Types{timestamptz, timestamptz},
};

bool is_unlimited(const ColumnDefinition& column) { return column.typmod < 0; }

// Of a whole number none.
int scale(const ColumnDefinition& column) { return column.type_oid == numeric ? numeric_scale(column.typmod) : 0; }

Conversion to_numeric(const ColumnDefinition& before, const ColumnDefinition& after) {
    if (is_unlimited(after)) return Conversion::none;
    if (before.type_oid == numeric && is_unlimited(before)) return Conversion::other;
    if (scale(before) == scale(after)) return Conversion::none;
    return scale(before) < scale(after) ? Conversion::written : Conversion::other;
}

// A cast to a shorter text, or fewer digits of a second.
bool is_limited(const ColumnDefinition& before, const ColumnDefinition& after) {
    return !is_unlimited(after) && (is_unlimited(before) || before.typmod > after.typmod);
}

bool is_text(Oid type) { return type == text || type == varchar; }

}  // namespace

bool is_certain(const ColumnDefinition& before, const ColumnDefinition& after) {
    return std::ranges::any_of(
        certain, [&](const Types& types) { return types.from == before.type_oid && types.to == after.type_oid; });
}

Conversion conversion_of(const ColumnDefinition& before, const ColumnDefinition& after) {
    // The text of a user's type differs when only its name does.
    const bool same_oid = before.type_oid != 0 && before.type_oid == after.type_oid && before.typmod == after.typmod;
    if (same_oid || (before.type == after.type && before.type_oid == after.type_oid)) return Conversion::none;
    if (!is_certain(before, after))
        return before.type_oid != 0 && is_text(after.type_oid) && is_unlimited(after) ? Conversion::written
                                                                                      : Conversion::other;
    if (after.type_oid == numeric) return to_numeric(before, after);
    if (after.type_oid == date) return Conversion::other;
    if (before.type_oid == date || before.type_oid == float4) return Conversion::written;
    // Blanks at the end of a text are cut without an error.
    const bool limits = is_text(before.type_oid) || before.type_oid == after.type_oid;
    return limits && is_limited(before, after) ? Conversion::other : Conversion::none;
}

}  // namespace pgsluice
