// Whether the worker's role may write the target's tables, and mark what it writes.
#pragma once

#include <set>
#include <span>
#include <string>

#include "cmd/check/findings.h"
#include "sinks/options.h"
#include "sinks/postgres/target_mapping.h"
#include "sql/connection.h"

namespace pgsluice {

void look_at_table_rights(std::span<const TargetMapping> tables, sql::Connection& connection, Findings& found);
// Tables that --target-sync-schema would make in these schemas, as `owner`; empty: as ourselves.
void look_at_making(const std::set<std::string>& schemas, const std::string& owner, sql::Connection& connection,
                    Findings& found);
// Replication origins (sinks/postgres/origins.h).
void look_at_marking(const PostgresSinkOptions& options, sql::Connection& connection, Findings& found);

}  // namespace pgsluice
