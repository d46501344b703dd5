#include "worker/direct_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/group/snapshot_start.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto report_interval = std::chrono::seconds(1);

}  // namespace

DirectSnapshot::DirectSnapshot(const WorkerOptions& options, Sink& sink, Broker& broker, const Log& log)
    : options_(options), sink_(dynamic_cast<LoadsDirectly*>(&sink)), broker_(broker), log_(log) {}

Error DirectSnapshot::not_in_stream(const SnapshotBegin& begin, const std::string& why) const {
    return stop_error(fmt::format("unable to load the snapshot of epoch {}: its rows are not in the stream, and {}",
                                  begin.epoch, why),
                      resnapshot_then_start_worker_hint);
}

bool DirectSnapshot::is_replaced(std::uint64_t epoch) {
    const auto begun = find_snapshot_start(broker_, options_.names);
    const std::uint64_t newest = std::max(begun ? begun->epoch : 0, find_announced_epoch(broker_, options_.names));
    if (newest > epoch)
        log_(LogLevel::info, fmt::format("abandoned the direct snapshot of epoch {}: the replicator has begun that of "
                                         "epoch {}",
                                         epoch, newest));
    return newest > epoch;
}

bool DirectSnapshot::begins(const SnapshotBegin& begin, const std::optional<DirectPlan>& plan,
                            const std::string& source) {
    incomplete_.reset();
    passed_.reset();
    awaits_another_ = false;
    if (!plan) return true;
    if (!is_replaced(begin.epoch) && opens(begin, *plan, source)) {
        incomplete_ = begin.epoch;
        return true;
    }
    passed_ = begin.epoch;
    return false;
}

bool DirectSnapshot::opens(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source) {
    if (!options_.direct_snapshot || sink_ == nullptr)
        throw stop_error(
            fmt::format("unable to load the snapshot of epoch {}: its rows are not in the stream, for the replicator "
                        "was started with --snapshot direct",
                        begin.epoch),
            "The postgres worker that is to load it needs --snapshot direct and --source-url. To have the rows in the "
            "stream, for any worker, run the replicator once with --copy-and-stream --resnapshot and --snapshot "
            "stream.");
    claim(begin);
    if (sink_->open_source(begin, plan, source)) return true;
    if (copy_.loaded) throw not_in_stream(begin, "the source does not hold it any more");
    awaits_another_ = true;
    log_(LogLevel::warning,
         fmt::format("the source does not hold the snapshot of epoch {} any more; waiting for the replicator to begin "
                     "another",
                     begin.epoch));
    return false;
}

void DirectSnapshot::claim(const SnapshotBegin& begin) {
    const auto found = find_direct_copy(broker_, options_.names);
    if (found && found->is_of(begin.epoch, begin.consistent_point)) {
        copy_ = *found;
        if (copy_.worker != options_.worker)
            throw not_in_stream(begin, fmt::format("worker '{}' loads it; only one can", copy_.worker));
        return;
    }
    copy_ = {begin.epoch, begin.consistent_point, options_.worker, false, {}, found ? found->revision : 0};
    if (!try_record_direct_copy(broker_, options_.names, copy_))
        throw retry_error(
            fmt::format("unable to load the snapshot of epoch {}: another worker claims it", begin.epoch));
}

void DirectSnapshot::add(const std::vector<DirectRange>& committed) {
    for (const DirectRange& range : committed) {
        DirectCopy::Table& table = copy_.tables[range.table];
        ++table.ranges;
        table.pages += range.pages;
        table.rows += range.rows;
        table.bytes += range.bytes;
    }
}

// False once the replicator begins another snapshot.
bool DirectSnapshot::report_if_due() {
    if (Clock::now() < next_report_) return true;
    next_report_ = Clock::now() + report_interval;
    if (is_replaced(copy_.epoch)) return false;
    report_loaded();
    return true;
}

void DirectSnapshot::report_loaded() {
    if (try_record_direct_copy(broker_, options_.names, copy_)) return;
    throw retry_error(
        fmt::format("unable to report on the snapshot of epoch {}: another worker has reported on it", copy_.epoch));
}

void DirectSnapshot::load(const std::vector<DirectTable>& tables,
                          const std::function<bool(const std::vector<DirectRange>&)>& tell) {
    copy_.loaded = false;
    copy_.tables.clear();  // the sink knows what earlier runs did
    log_(LogLevel::info, fmt::format("loading the snapshot of epoch {} from the source", copy_.epoch));
    const bool all = sink_->load_directly(tables, [&](const std::vector<DirectRange>& committed) {
        add(committed);
        return tell(committed) && report_if_due();
    });
    if (!all) return;
    incomplete_.reset();
    copy_.loaded = true;
    report_loaded();
    PGSLUICE_FAILPOINT("direct-reported");
    log_(LogLevel::info, fmt::format("all rows of the snapshot of epoch {} are loaded", copy_.epoch));
}

bool DirectSnapshot::ends(const SnapshotEnd& end) const {
    if (passed_ == end.epoch) return false;
    if (incomplete_ == end.epoch)
        throw stop_error(fmt::format("unable to end the snapshot of epoch {}: rows of it were not loaded", end.epoch),
                         resnapshot_then_start_worker_hint);
    return true;
}

}  // namespace pgsluice
