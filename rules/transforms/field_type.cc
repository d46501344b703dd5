#include "rules/transforms/field_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace pgsluice::rules {
namespace {

constexpr Oid of_users = 16384;  // types that no server has by itself

struct FieldType {
    std::string_view name;
    Oid oid;  // pg_type.dat
};
constexpr FieldType field_types[] = {
    {"text", 25},     {"smallint", 21},          {"integer", 23},       {"bigint", 20},     {"numeric", 1700},
    {"real", 700},    {"double precision", 701}, {"boolean", 16},       {"date", 1082},     {"time", 1083},
    {"timetz", 1266}, {"timestamp", 1114},       {"timestamptz", 1184}, {"interval", 1186}, {"uuid", 2950},
    {"inet", 869},    {"macaddr", 829},          {"bytea", 17},         {"json", 114},      {"jsonb", 3802},
    {"xml", 142},     {"hstore", of_users},      {"row", of_users},
};

std::string known_types() {
    std::string names;
    for (const FieldType& type : field_types) names.append(names.empty() ? "" : ", ").append(type.name);
    return names;
}

}  // namespace

Column field_of_type(const std::string& type, const Place& place) {
    const bool array = type.ends_with("[]");
    const std::string_view element = std::string_view(type).substr(0, type.size() - (array ? 2 : 0));
    const auto found = std::ranges::find(field_types, element, &FieldType::name);
    if (found == std::end(field_types))
        throw refuse(place, fmt::format("unknown type of a field '{}'", type),
                     fmt::format("Known types: {}; an array of dates is date[].", known_types()));
    Column field;
    field.type_oid = field.base_oid = found->oid;
    field.element_oid = array ? found->oid : 0;
    field.type_name = type;
    return field;
}

}  // namespace pgsluice::rules
