// A command of the source's users on the target: with the rights of the target's table owner, and no more.
// How: owner_call.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/change.h"
#include "stream/log.h"

namespace pgsluice {

// The owner of those of the tables that are there; nothing when none is, or when it is the current role. A stop Error
// when they have several owners.
std::optional<std::string> owner_of(sql::Connection& connection, const std::vector<QualifiedName>& tables);

// In the open transaction. The current role must be a superuser, or a member of the owner that may SET ROLE to it.
void run_as_owner(sql::Connection& connection, const std::string& owner, const std::string& command);

// Says, where the current role is a superuser, what that means for tables of its own.
void warn_of_superuser(sql::Connection& connection, const Log& log);

}  // namespace pgsluice
