// Fits what the files say to one relation.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rules/compiled_rules.h"
#include "rules/rule.h"

namespace pgsluice::rules {

struct CompilerInput {
    RelationPtr relation;
    const RulesFile* file = nullptr;        // may be empty
    const TableRules* rules = nullptr;      // null: the file does not name the table
    const Route* route = nullptr;           // null: to where it came from
    std::span<const RelationPtr> tables{};  // that are replicated, as far as known
};

// usage Error when something does not fit. Null when the route says not to replicate the table.
std::shared_ptr<const CompiledRules> compile_rules(const CompilerInput& input);

}  // namespace pgsluice::rules
