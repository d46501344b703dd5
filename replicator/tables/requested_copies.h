// What becomes of tables whose rows are to be copied again: `pgsluice resnapshot` asked for it
// (stream/group/copy_request.h), or the source has computed their values again. Pure.
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "replicator/tables/reconcile.h"
#include "stream/group/table_record.h"

namespace pgsluice {

// In order of oid. Tables delivered under one name are copied together. `copies`: the group copies rows at all (mode
// copy-and-stream); if it does not, and for a table that is not in the group, the log says that nothing is done.
std::vector<Finding> requested_copies(const std::map<Oid, TableRecord>& record, const std::set<Oid>& asked, bool copies,
                                      std::string_view reason = "pgsluice resnapshot asked for it");

}  // namespace pgsluice
