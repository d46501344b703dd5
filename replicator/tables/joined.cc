#include "replicator/tables/joined.h"

#include <fmt/format.h>

#include <map>

#include "replicator/await_acks.h"
#include "replicator/epoch.h"
#include "replicator/log_reading.h"
#include "replicator/source/members.h"
#include "replicator/source/session.h"
#include "replicator/source/tables.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/format/markers.h"
#include "stream/group/snapshot_start.h"

namespace pgsluice {

void JoinedTables::discard_interrupted(const LastMessage& last, std::uint64_t epoch) {
    ends_.log(LogLevel::info, "the copy of tables that had joined the group was interrupted; discarding it");
    announce_added_epoch(ends_.broker, ends_.options.names, epoch);
    const Lsn point = last.meta.safe_flush_lsn;
    MessageMeta meta{MessageKind::snapshot_begin, last.meta.position, point, true};
    ends_.publisher.publish(meta, encode(SnapshotBegin{epoch, point, {}, {}}));
    meta.kind = MessageKind::snapshot_end;
    ends_.publisher.publish(meta, encode(SnapshotEnd{epoch, point, 0, true}));
    await_acks(ends_.publisher, *ends_.options.metrics, ends_.stop);
    PGSLUICE_FAILPOINT("after-call-off");
}

// What the epoch names: partitions are copied one by one, unless they are delivered as their root.
std::vector<sql::CatalogTable> JoinedTables::due_tables() const {
    const std::set<Oid> due = owed_.due();
    std::map<Oid, sql::CatalogTable> tables;
    for (const Member& member : find_members(ends_.source, named_, ends_.options.names.publication,
                                             ends_.options.publish_via_partition_root)) {
        if (!due.contains(member.table.oid)) continue;
        tables[member.delivered_oid] = member.delivered_oid == member.table.oid ? member.table : member.named;
    }
    std::vector<sql::CatalogTable> list;
    for (const auto& [oid, table] : tables) list.push_back(table);
    return list;
}

ResumePoint JoinedTables::copy(std::uint64_t epoch) {
    const Names& names = ends_.options.names;
    const std::vector<sql::CatalogTable> tables = due_tables();
    if (tables.empty()) throw retry_error("unable to copy the tables that joined: they have just left again");
    std::set<Oid> void_in_targets;
    for (const auto& [oid, entry] : owed_.all())
        if (entry.state == TableState::copy_due && entry.replaces) void_in_targets.insert(entry.delivered_oid);
    SnapshotJob job;
    job.epoch = epoch;
    job.tables = tables;
    job.slot = {names.slot + "_added", false};
    job.added = true;
    job.replaces = [&](Oid table) { return void_in_targets.contains(table); };
    job.came_as = [&](const SourceTable& table) { return owed_.came_as(table.relation, table.parts); };
    job.chosen = [&](Lsn point, std::span<const SourceTable> copied, sql::Connection& reader) {
        owed_.begin_epoch(members_of(copied, named_, reader, ends_.options), point, epoch);
    };
    job.reach = [&](Lsn point, std::span<const SourceTable> copied) {
        std::set<Oid> without = owed_.due();
        for (const SourceTable& table : copied) without.insert(table.relation.oid);
        read_until_(point, without);
        PGSLUICE_FAILPOINT("before-added-copy");
    };
    job.ended = [&](const std::map<Oid, std::uint64_t>& rows) { owed_.end_epoch(epoch, rows); };
    check_free_slot(ends_.source);
    ends_.log(LogLevel::info, fmt::format("copying the rows of {} newly added tables; changes follow when they are "
                                          "stored",
                                          tables.size()));
    announce_added_epoch(ends_.broker, names, epoch);
    const Lsn point = run_epoch(ends_, job);
    PGSLUICE_FAILPOINT("after-added-copy");
    return {{point, 0}, point};
}

ResumePoint JoinedTables::leave_out() {
    const Lsn point = wal_end(ends_.source);
    read_until_(point, owed_.due());
    const ResumePoint resume = mark_progress(ends_, point);
    owed_.change_due([&](TableRecord entry) -> std::optional<TableRecord> {
        ends_.log(LogLevel::warning,
                  fmt::format("table '{}.{}' joined the group and is not copied: its changes are replicated from now "
                              "on, rows that it holds already are not (with --copy-and-stream they are)",
                              entry.name.schema, entry.name.table));
        entry.state = TableState::not_copied;
        entry.lsn = point;
        return entry;
    });
    return resume;
}

}  // namespace pgsluice
