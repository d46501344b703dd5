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

namespace {

// 0: as many as there are. The server cuts a name and a "char" without a word.
std::size_t most_characters(const Column& column) {
    constexpr std::int32_t typmod_header = 4;  // atttypmod counts it
    switch (column.base_oid != 0 ? column.base_oid : column.type_oid) {
        case 18:
            return 1;
        case 19:
            return 63;
        default:
            break;
    }
    const bool limited = column.type_oid == 1042 || column.type_oid == 1043;
    return limited && column.typmod > typmod_header ? static_cast<std::size_t>(column.typmod - typmod_header) : 0;
}

}  // namespace

std::string too_long(std::size_t characters, const Column& column) {
    const std::size_t most = most_characters(column);
    if (most == 0 || characters <= most) return {};
    return fmt::format("its result has {} characters, but the column holds {}", characters, most);
}

std::string takes(std::string_view wanted, const Column& column) {
    return fmt::format("it takes {}, but the column is {}", wanted,
                       column.type_name.empty() ? name_of(value_type(column)) : column.type_name);
}

}  // namespace pgsluice::rules
