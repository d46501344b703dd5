// A table that no rule names, and that has all columns of one with rules: CREATE TABLE ... (LIKE users), a backup.
#pragma once

#include <span>
#include <string>

#include "rules/rule.h"

namespace pgsluice::rules {

// For a person; empty when it is like none of `tables` of which the file hides something.
std::string warning_of_likeness(const Relation& relation, const RulesFile& file, std::span<const RelationPtr> tables);

}  // namespace pgsluice::rules
