// What kind of value a column holds, as far as rules treat it differently.
#pragma once

#include <cstdint>
#include <string_view>

#include "stream/change.h"

namespace pgsluice::rules {

enum class ValueType : std::uint8_t {
    text,         // text, varchar, name, "char", citext
    padded_text,  // char(n): trailing blanks do not count
    number,       // integers, numeric, floats, oid
    boolean,
    date,
    timestamp,
    timestamptz,
    time,
    timetz,
    interval,
    uuid,
    bytea,
    json,  // json and jsonb
    array,
    other,  // enums, ranges, network addresses ...: PostgreSQL's text, without an order we know
};

// A domain is what its base type is.
ValueType value_type(const Column& column);
std::string_view name_of(ValueType type);
inline bool is_text(ValueType type) { return type == ValueType::text || type == ValueType::padded_text; }
// Whether a transform of type hash has results for it.
inline bool takes_hash(ValueType type) { return is_text(type) || type == ValueType::uuid || type == ValueType::bytea; }

}  // namespace pgsluice::rules
