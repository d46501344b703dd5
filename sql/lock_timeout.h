// Waiting for a lock for a limited time.
#pragma once

#include "sql/error.h"

namespace pgsluice::sql {

// A lock_timeout below PostgreSQL's deadlock_timeout (1 s): where another session and we wait for each other, it is us
// who give way.
constexpr const char* gives_way_after = "500ms";

inline bool is_lock_timeout(const SqlError& error) noexcept { return error.sqlstate() == "55P03"; }

}  // namespace pgsluice::sql
