// The source's tables as a worker would write them, after rules and routing.
#pragma once

#include <memory>
#include <vector>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "cmd/cli/settings.h"
#include "rules/ruleset.h"
#include "stream/change.h"

namespace pgsluice {

struct DeliveredTable {
    RelationPtr source;
    std::shared_ptr<const CompiledRules> rules;  // whose target() is what is written
};

struct DeliveredTables {
    bool known = false;  // false: no source, or rules that cannot be used
    std::vector<DeliveredTable> tables;
};

// The rules and routing files, against the source's tables where these are known. Without any file, tables are
// delivered as they are.
std::vector<CheckFinding> look_at_rules(const Settings& settings, CheckedSource& source, DeliveredTables& delivered);

}  // namespace pgsluice
