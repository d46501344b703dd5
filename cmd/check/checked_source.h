// What has been learnt about the source, for the parts that compare with it.
#pragma once

#include <optional>
#include <vector>

#include "replicator/source/slot/slot.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/replication.h"

namespace pgsluice {

struct CheckedSource {
    std::optional<sql::Connection> connection;    // nothing: not given, or not reached
    std::vector<sql::CatalogTable> tables;        // those that would be replicated
    std::optional<sql::SystemIdentity> identity;  // nothing: the role may not replicate
    std::optional<SlotState> slot;                // of the group
    int walsender = 0;                            // our own one's pid, which may still be about to end
};

}  // namespace pgsluice
