// The newest change of each table that is in a group's stream.
#pragma once

#include <cstdint>
#include <map>

#include "sql/lsn.h"
#include "stream/change.h"

namespace pgsluice {

struct LastChange {
    Lsn commit;                       // of its transaction
    std::int64_t commit_time_us = 0;  // by the source's clock; microseconds since 2000-01-01 UTC

    bool operator==(const LastChange&) const = default;
};

// By oid, as changes name the tables.
using LastChanges = std::map<Oid, LastChange>;

}  // namespace pgsluice
