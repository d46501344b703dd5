// A transaction that the log has to its end may still run for other sessions: the walsender is ahead of them for a
// moment, and for long where synchronous replication holds the commit back. Until then the catalogs and tables that
// they see are those of before.
#pragma once

#include <chrono>
#include <cstdint>

#include "sql/connection.h"

namespace pgsluice {

// How long to wait before the next look.
inline constexpr std::chrono::milliseconds until_next_look{20};

// What is read after this said no shows all that the transaction has done.
[[nodiscard]] bool still_runs(sql::Connection& source, std::uint32_t xid);

}  // namespace pgsluice
