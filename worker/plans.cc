#include "worker/plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

const CompiledRules* Plans::find(const Relation* relation, std::span<const RelationPtr> relations, Position position) {
    if (relation == last_) return last_plan_;
    const auto known = entries_.find(relation);
    const bool current = known != entries_.end() && *known->second.current == relation;
    const Entry& entry = current ? known->second : accept(relation, relations, position);
    last_plan_ = entry.compiled.get();
    last_ = relation;
    return last_plan_;
}

Plans::Entry& Plans::accept(const Relation* relation, std::span<const RelationPtr> relations, Position position) {
    const auto owner = std::ranges::find(relations, relation, &RelationPtr::get);
    if (owner == relations.end()) throw std::logic_error("a change's relation is not among its block's");
    auto compiled = ruleset_.accept(*owner, position);
    const auto known = entries_.find(relation);
    Entry& entry = known != entries_.end() ? known->second : enter(*owner, std::move(compiled));
    *entry.current = relation;
    return entry;
}

Plans::Entry& Plans::enter(const RelationPtr& relation, std::shared_ptr<const CompiledRules> compiled) {
    if (compiled) {
        for (const auto& step : compiled->describe())
            log_(LogLevel::debug, fmt::format("table '{}.{}': {}", relation->schema, relation->table, step));
        for (const auto& warning : compiled->warnings()) log_(LogLevel::warning, warning);
    }
    const Relation** current = &current_[relation->oid];
    return entries_.emplace(relation.get(), Entry{relation, std::move(compiled), current}).first->second;
}

}  // namespace pgsluice
