#include "rules/values/value_type.h"

namespace pgsluice::rules {
namespace {

// pg_type.dat, the built-in types' fixed OIDs.
ValueType built_in(Oid oid) {
    switch (oid) {
        case 16:
            return ValueType::boolean;
        case 17:
            return ValueType::bytea;
        case 18:
        case 19:
        case 25:
        case 705:
        case 1043:
            return ValueType::text;
        case 20:
        case 21:
        case 23:
        case 26:
        case 700:
        case 701:
        case 1700:
            return ValueType::number;
        case 114:
        case 3802:
            return ValueType::json;
        case 1042:
            return ValueType::padded_text;
        case 1082:
            return ValueType::date;
        case 1083:
            return ValueType::time;
        case 1114:
            return ValueType::timestamp;
        case 1184:
            return ValueType::timestamptz;
        case 1186:
            return ValueType::interval;
        case 1266:
            return ValueType::timetz;
        case 2950:
            return ValueType::uuid;
        default:
            return ValueType::other;
    }
}

}  // namespace

ValueType value_type(const Column& column) {
    if (column.element_oid != 0) return ValueType::array;
    const std::string_view name = column.type_name;
    if (name == "citext" || name.ends_with(".citext")) return ValueType::text;
    return built_in(column.base_oid != 0 ? column.base_oid : column.type_oid);
}

std::string_view name_of(ValueType type) {
    switch (type) {
        case ValueType::text:
            return "text";
        case ValueType::padded_text:
            return "character";
        case ValueType::number:
            return "number";
        case ValueType::boolean:
            return "boolean";
        case ValueType::date:
            return "date";
        case ValueType::timestamp:
            return "timestamp";
        case ValueType::timestamptz:
            return "timestamp with time zone";
        case ValueType::time:
            return "time";
        case ValueType::timetz:
            return "time with time zone";
        case ValueType::interval:
            return "interval";
        case ValueType::uuid:
            return "uuid";
        case ValueType::bytea:
            return "bytea";
        case ValueType::json:
            return "json";
        case ValueType::array:
            return "array";
        case ValueType::other:
            return "other";
    }
    return "other";
}

}  // namespace pgsluice::rules
