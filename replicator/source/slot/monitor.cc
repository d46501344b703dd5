#include "replicator/source/slot/monitor.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>

#include "replicator/replicator_metrics.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/health.h"
#include "replicator/source/slot/lag.h"
#include "replicator/source/slot/wal_retention_check.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/health/replicator_entry.h"

namespace pgsluice {

namespace {

std::chrono::milliseconds rhythm(const ReplicatorOptions& options) {
    return std::chrono::milliseconds(options.slot_interval_ms);
}

}  // namespace

SlotMonitor::SlotMonitor(const ReplicatorOptions& options, Log log)
    : options_(options), log_(std::move(log)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

// A source that does not answer fails the replicator itself, too, and is reported there.
void SlotMonitor::run(const std::stop_token& stop) {
    while (pause(stop, rhythm(options_))) {
        try {
            look_on(stop);
        } catch (const Interrupted&) {
            return;
        } catch (const std::exception& error) {
            options_.metrics->slot.set(std::nullopt);
            log_(LogLevel::debug,
                 fmt::format("unable to check slot '{}' for now: {}", options_.names.slot, error.what()));
        }
    }
}

void SlotMonitor::look_on(const std::stop_token& stop) {
    sql::Connection source = connect_source(options_.source, stop);
    WalRetentionCheck watch(options_.names.slot, log_);
    SlotLag lag;
    std::optional<SlotHealth> before;
    do {
        SlotHealth now = look_at_slot(source, options_.names.slot);
        const double behind = now.exists ? lag.look(now.confirmed, now.wal_end, now.seen_us) : 0;
        if (behind > now.behind_seconds.value_or(0)) now.behind_seconds = behind;
        options_.metrics->slot.set(watch.look(now, std::chrono::steady_clock::now()));
        if (before) measure_rate(now, *before);
        options_.activity->slot.set(now);
        before = now;
    } while (pause(stop, rhythm(options_)));
}

}  // namespace pgsluice
