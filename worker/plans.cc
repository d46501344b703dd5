#include "worker/plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

const CompiledRules* Plans::find(const Relation* relation, std::span<const RelationPtr> relations, Position position) {
    const Entry* known = entries_.find(*relation);
    const bool current = known != nullptr && *known->current == relation;
    return (current ? *known : accept(relation, relations, position)).compiled.get();
}

Plans::Entry& Plans::accept(const Relation* relation, std::span<const RelationPtr> relations, Position position) {
    const auto owner = std::ranges::find(relations, relation, &RelationPtr::get);
    if (owner == relations.end()) throw std::logic_error("a change's relation is not among its block's");
    auto compiled = ruleset_.accept(*owner, position);
    delivered_.met(*owner);
    Entry* known = entries_.find(*relation);
    Entry& entry = known != nullptr ? *known : enter(*owner, std::move(compiled));
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
    return entries_.at(*relation, [&] { return Entry{relation, std::move(compiled), current}; });
}

}  // namespace pgsluice
