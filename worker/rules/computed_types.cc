#include "worker/rules/computed_types.h"

#include <fmt/format.h>

#include <memory>

#include "rules/computed_types.h"
#include "sinks/column_types.h"

namespace pgsluice {

namespace {

// Null for a table that the rules do not fit, which was said already.
std::shared_ptr<const CompiledRules> compiled(const Ruleset& ruleset, const RelationPtr& table) {
    try {
        return ruleset.compile(table);
    } catch (const Error&) {
        return nullptr;
    }
}

}  // namespace

void check_computed_types(const Ruleset& ruleset, std::span<const RelationPtr> tables, Sink& sink, bool continues,
                          const Log& log) {
    auto* knows = dynamic_cast<KnowsColumnTypes*>(&sink);
    if (knows == nullptr) return;
    for (const RelationPtr& table : tables) {
        const auto rules = compiled(ruleset, table);
        if (rules == nullptr || rules->computed().empty()) continue;
        try {
            rules::check_computed_types(*rules, knows->column_types(*rules->target()));
        } catch (const Error& error) {
            if (!continues || error.action() == Action::retry) throw;
            log(LogLevel::warning, in_one_line(error));
        }
    }
}

}  // namespace pgsluice
