// A command of the source's users on the target: with the rights of the target's table owner, and no more.
// How: owner_call.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

// The owner of those of the tables that are there; `otherwise` when none is; nothing when it is the current role. A
// stop Error when they have several owners.
std::optional<std::string> owner_of(sql::Connection& connection, const std::vector<QualifiedName>& tables,
                                    const std::optional<std::string>& otherwise);

// In the open transaction. The current role must be a superuser, or a member of the owner that may SET ROLE to it.
// Without an owner, as the current role.
void run_as_owner(sql::Connection& connection, const std::optional<std::string>& owner, const std::string& command);

}  // namespace pgsluice
