#include "replicator/begin_stream.h"

#include <fmt/format.h>

#include <string>

#include "replicator/log_reading.h"
#include "replicator/rules/source_rules.h"
#include "replicator/source/members.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/failover.h"
#include "replicator/source/slot/slot.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

ResumePoint begin_stream(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables,
                         const ReplicatedTables& replicated) {
    const ReplicatorOptions& options = ends.options;
    const std::string& slot = options.names.slot;
    SlotGuard guard(options.source, slot);
    sql::ReplicationConnection creator = connect_replication(options.source, ends.stop);
    const Lsn point =
        create_slot(creator, slot, lasting_slot(ends.source), sql::SlotSnapshot::nothing, ends.source, ends.log)
            .consistent_point;
    PGSLUICE_FAILPOINT("after-slot");
    owed.begin(find_members(ends.source, tables, options.names.publication, options.publish_via_partition_root),
               TableState::not_copied, point);
    if (ends.rules != nullptr) ends.rules->replace_all(replicated.now());
    // The marker may be stored even if its ack is lost; without the marker, the next start drops the slot.
    guard.keep();
    const ResumePoint resume = mark_progress(ends, point);
    ends.log(LogLevel::info, fmt::format("streaming begins at {}", to_string(point)));
    ends.running();
    return resume;
}

}  // namespace pgsluice
