#include "replicator/epoch.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "replicator/await_acks.h"
#include "replicator/group_state.h"
#include "replicator/kv_mirror.h"
#include "replicator/rules/source_rules.h"
#include "sql/error.h"
#include "stream/group/direct_copy.h"
#include "stream/group/snapshot_start.h"

namespace pgsluice {

namespace {

void give_rules(SourceRules& rules, Lsn point, std::span<SourceTable> tables) {
    std::vector<RelationPtr> relations;
    for (const SourceTable& table : tables) relations.push_back(std::make_shared<const Relation>(table.relation));
    // A table that joins again is compared with what was published of it, before that counts no more.
    for (std::size_t i = 0; i < tables.size(); ++i) tables[i].rules = rules.accept(relations[i], {point, 0});
    rules.replaces(relations);
}

// What a worker says of them must fit into one message.
void check_direct(std::size_t tables) {
    constexpr std::size_t most = 8000;
    if (tables <= most) return;
    throw stop_error(fmt::format("unable to take a direct snapshot of {} tables: {} are the most", tables, most),
                     "Copy so many through the stream, without --snapshot direct.");
}

bool is_loaded(const ReplicatorEnds& ends, std::uint64_t epoch, Lsn point, SnapshotReport& report) {
    const auto copy = find_direct_copy(ends.broker, ends.options.names);
    if (!copy || !copy->is_of(epoch, point)) return false;
    for (const auto& [number, table] : copy->tables)
        if (number < report.tables()) report.loaded(number, table.ranges, table.pages, table.rows, table.bytes);
    return copy->loaded;
}

}  // namespace

Lsn run_epoch(const ReplicatorEnds& ends, SnapshotJob& job) {
    GroupState state(ends.broker, ends.options.names);
    KvMirror progress({[&](const std::string& figures) { state.show_copy(figures); }});
    job.check = [&](bool all_stored) {
        ends.housekeeper.stream_refuses(!ends.publisher.full().empty());
        // The housekeeper looks now and then; once the end marker is stored, no later start repeats the snapshot.
        if (all_stored) {
            ends.housekeeper.check(ends.broker);
        } else {
            ends.housekeeper.check();
        }
    };
    if (ends.rules != nullptr)
        job.give_rules = [&](Lsn point, std::span<SourceTable> tables) { give_rules(*ends.rules, point, tables); };
    job.keep_progress = [&](std::string_view figures) { progress.set(0, std::string(figures)); };
    return copy_snapshot(ends.options, job, ends.source, ends.publisher, ends.log, ends.stop);
}

std::vector<Member> members_of(std::span<const SourceTable> tables, std::span<const sql::CatalogTable> named,
                               sql::Connection& reader, const ReplicatorOptions& options) {
    std::set<Oid> parts;
    for (const SourceTable& table : tables)
        for (const sql::CatalogTable& part : table.parts) parts.insert(part.oid);
    auto members = find_members(reader, named, options.names.publication, options.publish_via_partition_root);
    std::set<Oid> found;
    std::erase_if(members, [&](const Member& member) { return !parts.contains(member.table.oid); });
    for (const Member& member : members) found.insert(member.table.oid);
    const std::vector<Oid> oids(parts.begin(), parts.end());
    if (found != parts || !all_locked(reader, oids))
        throw retry_error("unable to copy the tables: partitions were attached, detached or made at the same time");
    // The publication names tables, and one may have got another's name at that moment.
    const bool captured = std::ranges::none_of(members, [](const Member& member) { return member.capture.empty(); });
    if (!captured && options.mode != ReplicatorMode::copy)
        throw retry_error("unable to copy the tables: the publication was altered at the same time");
    return members;
}

ResumePoint take_snapshot(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables,
                          std::uint64_t epoch, const std::function<void(sql::Connection&)>& look) {
    const Names& names = ends.options.names;
    SnapshotJob job;
    job.epoch = epoch;
    job.tables = tables;
    job.slot = {names.slot, ends.options.mode != ReplicatorMode::copy};
    // All that was published is acknowledged, and nothing else publishes.
    const StreamSeq begin{ends.broker.stream_state(names.stream).value().last_seq.value + 1};
    job.begun = [&](Lsn point) {
        await_acks(ends.publisher, *ends.options.metrics, ends.stop);
        remember_snapshot_start(ends.broker, names, {epoch, begin, point});
        ends.running();
    };
    job.chosen = [&](Lsn point, std::span<const SourceTable> copied, sql::Connection& reader) {
        look(reader);
        owed.begin(members_of(copied, tables, reader, ends.options), TableState::copy_due, point, epoch);
    };
    job.ended = [&](const std::map<Oid, std::uint64_t>& rows) { owed.end_epoch(epoch, rows); };
    job.came_as = [&](const SourceTable& table) { return owed.came_as(table.relation, table.parts); };
    if (ends.options.direct_snapshot) {
        check_direct(tables.size());
        job.loaded = [&](Lsn point, SnapshotReport& report) { return is_loaded(ends, epoch, point, report); };
    }
    announce_epoch(ends.broker, names, epoch);
    const Lsn point = run_epoch(ends, job);
    return {{point, 0}, point};
}

}  // namespace pgsluice
