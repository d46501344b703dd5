#include "rules/transform.h"

#include <fmt/format.h>

#include <vector>

#include "rules/transforms.h"

namespace pgsluice::rules {
namespace {

struct TransformKind {
    std::string_view name;
    std::unique_ptr<Transform> (*make)(Fields& parameters, const TransformDefaults& defaults);
};

constexpr TransformKind kTransforms[] = {
    {"mask", make_mask},
    {"regex", make_regex},
};

}  // namespace

std::unique_ptr<Transform> make_transform(Fields& parameters, const TransformDefaults& defaults) {
    const std::string name = parameters.required_text("type");
    std::vector<std::string_view> known;
    for (const TransformKind& kind : kTransforms) {
        if (kind.name == name) return kind.make(parameters, defaults);
        known.push_back(kind.name);
    }
    throw refuse(parameters.place(), fmt::format("unknown transform '{}'", name),
                 fmt::format("Known transforms: {}.", fmt::join(known, ", ")));
}

std::string takes(std::string_view wanted, const Column& column) {
    return fmt::format("it takes {}, but the column is {}", wanted,
                       column.type_name.empty() ? name_of(value_type(column)) : column.type_name);
}

}  // namespace pgsluice::rules
