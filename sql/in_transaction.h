#pragma once

#include "sql/connection.h"

namespace pgsluice::sql {

// Whether a transaction block is open, as the server's last answer says.
[[nodiscard]] bool in_transaction(const Connection& connection) noexcept;

}  // namespace pgsluice::sql
