// Whether the rules that compare is given are those that the worker applies: with others each row would differ, and a
// repair would write what the worker hides.
#pragma once

#include <span>

#include "rules/ruleset.h"
#include "sql/connection.h"
#include "stream/broker.h"
#include "worker/compare/options.h"
#include "worker/compare/tables.h"

namespace pgsluice {

// A stop Error that names the tables and columns for which the worker noted other rules on the target than `rules`.
// Tables of which it has noted none pass, and all where the role may not read its notes: it cannot repair then.
void require_worker_rules(const CompareOptions& options, const Ruleset& rules,
                          std::span<const PublishedTable> published, Broker& broker, sql::Connection& target);

}  // namespace pgsluice
