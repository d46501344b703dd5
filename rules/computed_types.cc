#include "rules/computed_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgsluice::rules {
namespace {

// Each takes all values of those before it, as the same text.
constexpr std::array<std::string_view, 4> numbers{"smallint", "integer", "bigint", "numeric"};

bool takes(std::string_view target, std::string_view type) {
    const auto from = std::ranges::find(numbers, type);
    const auto to = std::ranges::find(numbers, target);
    if (from != numbers.end() && to != numbers.end()) return from <= to;
    return target == type || (type == "text" && target == "character varying");
}

}  // namespace

void check_computed_types(const CompiledRules& rules, const std::map<std::string, std::string>& types) {
    const Relation& target = *rules.target();
    for (const ComputedStep& step : rules.computed()) {
        const Column& column = target.columns[step.target];
        const auto found = types.find(column.name);
        if (found == types.end() || takes(found->second, column.type_name)) continue;
        throw refuse(step.place,
                     fmt::format("the expression is {}, and column '{}' of the target's table '{}.{}' is {}",
                                 column.type_name, column.name, target.schema, target.table, found->second),
                     fmt::format("Cast the expression, as in (...)::{}, or change the type of the target's column.",
                                 found->second));
    }
}

}  // namespace pgsluice::rules
