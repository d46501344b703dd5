#include "replicator/joined_tables.h"

#include <fmt/format.h>

#include "replicator/await_acks.h"
#include "replicator/epoch.h"
#include "replicator/log_reading.h"
#include "replicator/source/publication.h"
#include "replicator/source/session.h"
#include "replicator/source/tables.h"
#include "stream/failpoint.h"
#include "stream/format/markers.h"
#include "stream/group/snapshot_start.h"

namespace pgsluice {

void JoinedTables::discard_interrupted(const LastMessage& last, std::uint64_t epoch) {
    ends_.log(LogLevel::info, "the initial copy of newly added tables was interrupted; discarding it");
    announce_added_epoch(ends_.broker, ends_.options.names, epoch);
    const Lsn point = last.meta.safe_flush_lsn;
    MessageMeta meta{MessageKind::snapshot_begin, last.meta.position, point, true};
    ends_.publisher.publish(meta, encode(SnapshotBegin{epoch, point, {}, {}}));
    meta.kind = MessageKind::snapshot_end;
    ends_.publisher.publish(meta, encode(SnapshotEnd{epoch, point, 0, true}));
    await_acks(ends_.publisher, ends_.stop);
    PGSLUICE_FAILPOINT("after-call-off");
}

ResumePoint JoinedTables::copy(std::span<const sql::CatalogTable> tables, const std::set<Oid>& left_out,
                               std::uint64_t epoch) {
    const Names& names = ends_.options.names;
    SnapshotJob job;
    job.epoch = epoch;
    job.tables = tables;
    job.slot = {names.slot + "_added", false};
    job.added = true;
    job.reach = [&](Lsn point, std::span<const SourceTable> copied) {
        std::set<Oid> without = with_partitions(ends_.source, left_out);
        for (const SourceTable& table : copied) without.insert(table.relation.oid);
        read_until_(point, without);
        PGSLUICE_FAILPOINT("before-added-copy");
    };
    check_free_slot(ends_.source);
    ends_.log(LogLevel::info, fmt::format("copying the rows of {} newly added tables; changes follow when they are "
                                          "stored",
                                          tables.size()));
    announce_added_epoch(ends_.broker, names, epoch);
    const Lsn point = run_epoch(ends_, job);
    PGSLUICE_FAILPOINT("after-added-copy");
    copy_is_done(ends_.source, names.publication);
    return {{point, 0}, point};
}

ResumePoint JoinedTables::leave_out(const std::set<Oid>& tables) {
    const Lsn point = wal_end(ends_.source);
    read_until_(point, with_partitions(ends_.source, tables));
    const ResumePoint resume = mark_progress(ends_, point);
    copy_is_done(ends_.source, ends_.options.names.publication);
    return resume;
}

}  // namespace pgsluice
