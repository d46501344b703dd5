// --target-owner: the role that what the worker makes belongs to, and with whose rights it is made.
#pragma once

#include <optional>
#include <string>

#include "sinks/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// A stop Error, with the grants that are missing, where the current role cannot make things as that role.
void require_target_owner(sql::Connection& connection, const PostgresSinkOptions& options);

// As whom to make what is not there yet; nothing: as ourselves.
std::optional<std::string> target_owner(const PostgresSinkOptions& options);

// Says, where what the source's users define is evaluated with more rights than it takes to write their tables, what
// that means.
void warn_of_rights(sql::Connection& connection, const PostgresSinkOptions& options, const Log& log);

}  // namespace pgsluice
