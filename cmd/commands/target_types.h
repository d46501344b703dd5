// The types of tables that a dump without its schema brings rows of, from the target's tables that they are routed to.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/source/column_types.h"
#include "rules/ruleset.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

class TargetTypes {
   public:
    TargetTypes(const sql::ConnectOptions& target, const RulesOptions& rules, std::stop_token stop);

    // The dump's table with these columns; nothing where the target has not all of them.
    std::optional<Relation> find(const QualifiedName& name, const std::vector<std::string>& columns);

   private:
    sql::Connection connection_;
    ColumnTypes types_;
    Ruleset routes_;  // and no rules, which could not be compiled without types
};

}  // namespace pgsluice
