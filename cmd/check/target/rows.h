// What is in the way of rows on the target: rows that are there, triggers and foreign keys that fire.
#pragma once

#include <span>

#include "cmd/check/findings.h"
#include "sinks/options.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

// Rows that are there before the first copy.
void look_at_rows(std::span<const TargetMapping> tables, const PostgresSinkOptions& options, PostgresSession& session,
                  Findings& found);
void look_at_what_fires(std::span<const TargetMapping> tables, PostgresSession& session, Findings& found);

}  // namespace pgsluice
