#include "replicator/epoch.h"

#include <string>

#include "replicator/await_acks.h"
#include "replicator/group_state.h"
#include "replicator/kv_mirror.h"
#include "stream/group/snapshot_start.h"

namespace pgsluice {

Lsn run_epoch(const ReplicatorEnds& ends, SnapshotJob& job) {
    GroupState state(ends.broker, ends.options.names);
    KvMirror progress([&](const std::string& figures) { state.show_copy(figures); });
    job.check = [&](bool all_stored) {
        ends.housekeeper.stream_refuses(!ends.publisher.full().empty());
        // The housekeeper looks now and then; once the end marker is stored, no later start repeats the snapshot.
        if (all_stored) {
            ends.housekeeper.check(ends.broker);
        } else {
            ends.housekeeper.check();
        }
    };
    job.keep_progress = [&](std::string_view figures) { progress.set(std::string(figures)); };
    return copy_snapshot(ends.options, job, ends.source, ends.publisher, ends.log, ends.stop);
}

ResumePoint take_snapshot(const ReplicatorEnds& ends, std::span<const sql::CatalogTable> tables, std::uint64_t epoch) {
    const Names& names = ends.options.names;
    SnapshotJob job;
    job.epoch = epoch;
    job.tables = tables;
    job.slot = {names.slot, ends.options.mode != ReplicatorMode::copy};
    // All that was published is acknowledged, and nothing else publishes.
    const StreamSeq begin{ends.broker.stream_state(names.stream).value().last_seq.value + 1};
    job.begun = [&](Lsn point) {
        await_acks(ends.publisher, ends.stop);
        remember_snapshot_start(ends.broker, names, {epoch, begin, point});
        ends.running();
    };
    announce_epoch(ends.broker, names, epoch);
    const Lsn point = run_epoch(ends, job);
    return {{point, 0}, point};
}

}  // namespace pgsluice
