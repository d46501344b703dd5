#include "replicator/health_report.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <utility>

#include "replicator/replicator_metrics.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/health/replicator_entry.h"
#include "stream/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rhythm(2);
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

// A broker that does not answer fails the replicator itself, too, and is reported there.
void HealthReport::run(const std::stop_token& stop) {
    do {
        try {
            if (options_.activity->owns_group) report_on(stop);
        } catch (const std::exception& error) {
            log_(LogLevel::debug, fmt::format("unable to report to the group for now: {}", error.what()));
        } catch (const Interrupted&) {
        }
    } while (pause(stop, rhythm / 4));
}

void HealthReport::report_on(const std::stop_token& stop) {
    // Nothing waits for a report, and the last one must not hold up the end.
    const auto broker = Broker::connect(beside_data(options_.nats, 1000, 1500), silent_log, stop);
    const auto& owns_group = options_.activity->owns_group;  // not while it stands by for another
    do report(*broker, false);
    while (pause(stop, rhythm) && owns_group);
    if (broker->connected() && owns_group) report(*broker, true);
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
