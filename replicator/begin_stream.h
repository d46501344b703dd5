// A group that begins without a snapshot (mode stream): a new slot, and a marker of where its changes begin.
#pragma once

#include <span>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/tables/owed.h"
#include "replicator/tables/replicated.h"
#include "sql/catalog.h"

namespace pgsluice {

// Makes the slot, which is dropped again when this is left by an exception before the marker is published. Where its
// changes begin.
ResumePoint begin_stream(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables,
                         const ReplicatedTables& replicated);

}  // namespace pgsluice
