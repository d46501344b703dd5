// The source's tables as a worker would write them, after rules and routing.
#pragma once

#include <memory>
#include <stop_token>
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

// The rules and routing files, against the source's tables; where no source is given, against those that the group's
// bucket names (`readable`). Without any file, tables are delivered as they are.
std::vector<CheckFinding> look_at_rules(const Settings& settings, CheckedSource& source, bool readable,
                                        DeliveredTables& delivered, const std::stop_token& stop);

}  // namespace pgsluice
