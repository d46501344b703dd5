#include "rules/transforms/transform.h"

#include <fmt/format.h>

#include <vector>

#include "rules/transforms/transform_table.h"

namespace pgsluice::rules {

std::unique_ptr<Transform> make_transform(Fields& parameters, const TransformDefaults& defaults) {
    const std::string name = parameters.required_text("type");
    std::vector<std::string_view> known;
    for (const TransformKind& kind : transform_kinds()) {
        if (kind.name == name) return kind.make(parameters, defaults);
        known.push_back(kind.name);
    }
    throw refuse(parameters.place(), fmt::format("unknown transform '{}'", name),
                 fmt::format("Known transforms: {}.", fmt::join(known, ", ")));
}

std::string too_long(std::size_t characters, const Column& column) {
    constexpr Oid bpchar_oid = 1042;
    constexpr Oid varchar_type = 1043;
    constexpr std::int32_t typmod_header = 4;  // atttypmod counts it
    const bool limited =
        (column.type_oid == bpchar_oid || column.type_oid == varchar_type) && column.typmod > typmod_header;
    if (!limited || characters <= static_cast<std::size_t>(column.typmod - typmod_header)) return {};
    return fmt::format("its result has {} characters, but the column holds {}", characters,
                       column.typmod - typmod_header);
}

std::string takes(std::string_view wanted, const Column& column) {
    return fmt::format("it takes {}, but the column is {}", wanted,
                       column.type_name.empty() ? name_of(value_type(column)) : column.type_name);
}

}  // namespace pgsluice::rules
