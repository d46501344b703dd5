#include "worker/plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

const TablePlan* Plans::find(const Relation* relation, std::span<const RelationPtr> relations) {
    if (relation == last_) return last_plan_;
    const auto known = entries_.find(relation);
    last_plan_ = (known != entries_.end() ? known->second : compile(relation, relations)).plan.get();
    last_ = relation;
    return last_plan_;
}

const Plans::Entry& Plans::compile(const Relation* relation, std::span<const RelationPtr> relations) {
    const auto owner = std::ranges::find(relations, relation, &RelationPtr::get);
    if (owner == relations.end()) throw std::logic_error("a change's relation is not among its block's");
    auto plan = ruleset_.compile(*owner);
    if (plan) {
        for (const auto& step : plan->describe())
            log_(LogLevel::debug, fmt::format("table '{}.{}': {}", relation->schema, relation->table, step));
        for (const auto& warning : plan->warnings()) log_(LogLevel::warning, warning);
    }
    return entries_.emplace(relation, Entry{*owner, std::move(plan)}).first->second;
}

}  // namespace pgsluice
