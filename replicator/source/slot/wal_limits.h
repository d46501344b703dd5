// The source's settings that say how long WAL is kept for a slot.
#pragma once

#include <string>
#include <vector>

#include "sql/connection.h"

namespace pgsluice {

struct WalLimit {
    bool well = true;  // false: it can hurt the source, or the group
    std::string text;
    std::string way_out;  // a sentence; empty where it is well
};

std::vector<WalLimit> look_at_wal_limits(sql::Connection& connection);

}  // namespace pgsluice
