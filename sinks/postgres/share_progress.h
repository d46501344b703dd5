// What is done to the rows of pgsluice.progress and its like when workers with other shares take over
// (sinks/takes_over.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sinks/sink.h"
#include "sql/connection.h"

namespace pgsluice {

// Where the worker is. Its row gets another owner, so that it cannot move it any more. Nothing when it has none.
std::optional<SinkState> end_progress(sql::Connection& connection, const std::string& group, const std::string& worker);
// `next` has got nowhere yet, has these notes of the tables, and knows which of them `before` have written. Rows that
// constants of a route tell apart are no longer theirs.
void succeed_progress(sql::Connection& connection, const std::string& group, const std::string& next,
                      const std::vector<std::string>& before, const std::map<Oid, std::string>& notes);

}  // namespace pgsluice
