#include "worker/start/report.h"

#include <chrono>
#include <utility>

#include "stream/base/pause.h"
#include "stream/group/reporting.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds start_rhythm(2000);

}  // namespace

StartReport::StartReport(const WorkerOptions& options, const std::atomic<bool>& running, Log log)
    : options_(options),
      running_(running),
      log_(std::move(log)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

StartReport::~StartReport() = default;

// Most workers have a session before the first report, and need no connection for it.
void StartReport::run(const std::stop_token& stop) {
    for (auto wait = start_rhythm; pause(stop, wait); wait = start_rhythm / 4)
        if (!running_) try_to_report(log_, [&] { report_on(stop); });
    try_to_report(log_, [&] { report_end(); });
}

void StartReport::report_on(const std::stop_token& stop) {
    const auto broker = connect_for_reports(options_.nats, stop);
    do say(*broker, End::starts_again);
    while (pause(stop, start_rhythm) && !running_);
}

// A session that was stopped without trouble has said so itself.
void StartReport::report_end() {
    if (end_ == End::stopped && options_.trouble->last().text.empty()) return;
    say(*connect_for_reports(options_.nats, {}), end_);
}

void StartReport::say(Broker& broker, End now) const {
    // A session that has not reported for so long has been killed, as when a worker takes its name.
    const auto silence = 10 * std::chrono::milliseconds(options_.registry_interval_ms);
    const bool starts = now == End::starts_again;
    const Trouble::Last last = options_.trouble->last();
    WorkerRegistry(broker, options_.names).amend(options_.worker, silence, [&](WorkerEntry& entry) {
        entry.starting_us = starts ? WorkerRegistry::now_us() : 0;
        entry.failed = now == End::failed && !last.text.empty();
        entry.waiting = starts && options_.waits ? options_.waits->longest() : "";
        entry.last_error = last.text;
        entry.last_error_us = last.at_us;
    });
}

}  // namespace pgsluice
