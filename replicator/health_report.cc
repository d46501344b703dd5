#include "replicator/health_report.h"

#include <chrono>
#include <utility>

#include "replicator/replicator_metrics.h"
#include "sql/timestamp.h"
#include "stream/base/pause.h"
#include "stream/group/reporting.h"
#include "stream/health/replicator_entry.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds rhythm(2000);
constexpr std::chrono::seconds seldom(3);

std::uint64_t changes_of(const TableTallies& tables) {
    std::uint64_t sum = 0;
    tables.for_each([&](const std::string&, const std::string&, const TableTally& tally) {
        for (const Tally& changes : tally.changes) sum += changes.get();
    });
    return sum;
}

}  // namespace

HealthReport::HealthReport(const ReplicatorOptions& options, Log log)
    : options_(options),
      log_(std::move(log)),
      started_us_(sql::postgres_time_us()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

HealthReport::~HealthReport() = default;

void HealthReport::run(const std::stop_token& stop) {
    const auto& owns_group = options_.activity->owns_group;
    do {
        if (owns_group) try_to_report(log_, [&] { report_on(stop); });
    } while (pause(stop, rhythm / 4));
    try_to_report(log_, [&] { owns_group ? report_end() : report_refused(); });
}

// Without it, status would show what the replicator before said when it ended.
void HealthReport::report_refused() {
    constexpr std::chrono::seconds silence(8);
    if (!failed_ || options_.activity->trouble.last().text.empty()) return;
    const auto broker = connect_for_reports(options_.nats, {});
    amend_replicator(*broker, options_.names, silence, [&](ReplicatorEntry& kept) {
        const auto slot = kept.slot;
        kept = entry(!starts_again_);
        if (!kept.slot) kept.slot = slot;
    });
}

void HealthReport::report_on(const std::stop_token& stop) {
    broker_ = connect_for_reports(options_.nats, stop);
    const auto& owns_group = options_.activity->owns_group;  // not while it stands by for another
    do report(*broker_, false);
    while (pause(stop, rhythm) && owns_group);
}

// Also of one that ended before it was time for a first report.
void HealthReport::report_end() {
    if (!broker_) broker_ = connect_for_reports(options_.nats, {});
    if (broker_->connected()) report(*broker_, !starts_again_);
}

void HealthReport::report(Broker& broker, bool ended) {
    ReplicatorEntry next = entry(ended);
    const auto now = Rate::Clock::now();
    if (next == reported_ && now - reported_at_ < seldom) return;
    ReplicatorEntry dated = next;
    dated.reported_us = sql::postgres_time_us();
    report_replicator(broker, options_.names, dated);
    reported_ = std::move(next);
    reported_at_ = now;
}

ReplicatorEntry HealthReport::entry(bool ended) {
    const ReplicatorActivity& activity = *options_.activity;
    ReplicatorEntry entry;
    entry.ended = ended;
    entry.failed = ended && failed_;
    entry.finished = ended && finished_;
    entry.running = !ended && activity.running;
    entry.stream_full = !ended && activity.stream_full;
    entry.started_us = started_us_;
    if (options_.waits && !ended) entry.waiting = options_.waits->longest();
    const Trouble::Last last = activity.trouble.last();
    entry.last_error = last.text;
    entry.last_error_us = last.at_us;
    rate_.add(changes_of(options_.metrics->tables), Rate::Clock::now());
    if (!ended) entry.changes_per_second = rate_.per_second();
    entry.slot = activity.slot.get();
    return entry;
}

}  // namespace pgsluice
