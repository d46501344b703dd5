// A target table's columns against those that rows come with, and how its rows are found.
#pragma once

#include "cmd/check/findings.h"
#include "cmd/check/target/delivered_tables.h"
#include "sinks/postgres/target_mapping.h"
#include "sql/connection.h"

namespace pgsluice {

// `source`: null where it is not known; then types are not compared.
void look_at_columns(const DeliveredTable& delivered, const TargetTable& table, sql::Connection* source,
                     sql::Connection& target, Findings& found);
void look_at_match(const TargetMapping& mapping, Findings& found);

}  // namespace pgsluice
