#include "replicator/bootstrap/prepare.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <utility>

#include "replicator/bootstrap/dump_command.h"
#include "replicator/bootstrap/held_snapshot.h"
#include "replicator/epoch.h"
#include "replicator/log_reading.h"
#include "replicator/snapshot/readers.h"
#include "replicator/source/slot/slot.h"
#include "replicator/source/tables.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/group/bootstrap_record.h"
#include "stream/group/registry.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

// A worker looks at the record before and after it registers: one that was at that moment starting leaves again.
constexpr auto leaving_patience = std::chrono::seconds(15);

std::string running_worker(WorkerRegistry& registry) {
    std::vector<std::string> unreadable;
    for (const WorkerEntry& worker : registry.list(&unreadable))
        if (worker.runs(WorkerRegistry::now_us())) return worker.name;
    return "";
}

std::set<Oid> oids_of(std::span<const SourceTable> tables) {
    std::set<Oid> oids;
    for (const SourceTable& table : tables)
        for (const sql::CatalogTable& part : table.parts) oids.insert(part.oid);
    return oids;
}

void check_no_worker_runs(Broker& broker, const Names& names) {
    WorkerRegistry registry(broker, names);
    const std::string worker = running_worker(registry);
    if (worker.empty()) return;
    throw stop_error(fmt::format("unable to prepare a bootstrap of group '{}': worker '{}' is running, and would apply "
                                 "changes to a target that does not hold the dump yet",
                                 names.group, worker),
                     "Stop the group's workers first. Started again, they wait for --bootstrap complete.");
}

void announce(Broker& broker, const Names& names, const std::stop_token& stop) {
    BootstrapRecord record;
    if (const auto before = find_bootstrap(broker, names)) record.revision = before->revision;
    record_bootstrap(broker, names, record);
    PGSLUICE_FAILPOINT("bootstrap-announced");
    const auto deadline = Clock::now() + leaving_patience;
    while (Clock::now() < deadline) {
        WorkerRegistry registry(broker, names);
        if (running_worker(registry).empty()) return;
        if (!pause(stop, std::chrono::milliseconds(200))) throw Interrupted{};
    }
    check_no_worker_runs(broker, names);
}

}  // namespace

BootstrapStart find_bootstrap_start(const ReplicatorOptions& options, Broker& broker, const StartFacts& facts) {
    auto record = facts.stream && !options.resnapshot ? find_bootstrap(broker, options.names) : std::nullopt;
    if (record && record->state == BootstrapState::superseded) record.reset();
    const bool begun = facts.last && facts.last->meta.kind != MessageKind::group;
    const bool held = record && options.bootstrap.held->holds(record->point);
    const auto start = decide_bootstrap(options.bootstrap, options.resnapshot, {options.names, record, begun, held});
    if (start == BootstrapStart::prepare && facts.stream) check_no_worker_runs(broker, options.names);
    return start;
}

void begin_or_end_bootstrap(BootstrapStart start, Broker& broker, const Names& names, bool resuming,
                            const std::stop_token& stop) {
    if (start == BootstrapStart::prepare) return announce(broker, names, stop);
    if (!resuming) supersede_bootstrap(broker, names);
}

ResumePoint prepare_bootstrap(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables) {
    const ReplicatorOptions& options = ends.options;
    const Names& names = options.names;
    SnapshotReaders readers =
        open_snapshot(with_one_reader(options), {names.slot, true}, tables, ends.source, ends.log, ends.stop);
    SlotGuard guard(options.source, names.slot);
    const Lsn point = readers.consistent_point;
    sql::Connection holder = std::move(readers.connections.front());
    ColumnTypes types(ends.source);
    const auto dumped = tables_to_copy(ends.source, tables, options.publish_via_partition_root, types);
    owed.begin(members_of(dumped, tables, holder, options), TableState::copied, point);
    const std::string snapshot = holder.query("SELECT pg_catalog.pg_export_snapshot()", {}, {1, 1, 1}).text(0, 0);

    const StreamSeq marker{ends.broker.stream_state(names.stream).value().last_seq.value + 1};
    const ResumePoint resume = mark_dump(ends, point);
    PGSLUICE_FAILPOINT("bootstrap-marked");
    // No worker can use what comes before the dump, and at the stream's beginning the marker is found at once.
    ends.broker.trim(names.stream, {marker.value - 1});
    BootstrapRecord record = find_bootstrap(ends.broker, names).value_or(BootstrapRecord{});
    record.state = BootstrapState::waiting;
    record.point = point;
    record.seq = marker;
    record.snapshot = snapshot;
    record_bootstrap(ends.broker, names, record);
    guard.keep();
    const std::string command = dump_command(ends.source, options, snapshot, oids_of(dumped));
    options.bootstrap.held->hold(std::move(holder), point, command);
    PGSLUICE_FAILPOINT("bootstrap-held");
    ends.log(LogLevel::info, fmt::format("bootstrap: waiting for a dump of snapshot {} as of {}; the log goes into the "
                                         "stream meanwhile, and workers wait",
                                         snapshot, to_string(point)));
    if (options.bootstrap.tell) options.bootstrap.tell(bootstrap_guide(options, command, point));
    ends.running();
    return resume;
}

}  // namespace pgsluice
