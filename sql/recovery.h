#pragma once

#include "sql/connection.h"

namespace pgsluice::sql {

// Whether the server is a standby, or one that has not ended its recovery.
bool in_recovery(Connection& connection);

}  // namespace pgsluice::sql
