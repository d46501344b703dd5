// `pgsluice check rules --coverage`: the columns that no rule names, as JSON for machines.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "rules/named_columns.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"

namespace pgsluice {

std::string coverage_json(std::size_t tables, std::span<const rules::UnnamedColumn> unnamed);

// False when a strict table has such a column.
bool report_coverage(const RulesOptions& files, const sql::ConnectOptions& source, const TableChoice& choice,
                     const std::function<void(const std::string&)>& print, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
