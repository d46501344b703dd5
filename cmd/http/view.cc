#include "cmd/http/view.h"

#include <fmt/format.h>

#include <utility>

#include "sql/timestamp.h"

namespace pgsluice {

using Clock = std::chrono::steady_clock;

void View::look(std::optional<StreamObservation> seen) {
    const std::lock_guard lock(mutex_);
    seen_ = std::move(seen);
    const auto now = Clock::now();
    if (seen_) nats_answered_ = now;
    const StreamObservation* known = seen_ ? &*seen_ : nullptr;
    follow(known, sql::postgres_time_us());
    Movement moved = movement(known);
    moved.running = options_.session->running.get() != 0;
    moved.trouble = options_.session->error.get().value_or("");
    readiness_.look(moved, now);
}

std::string View::reason(Readiness::Time now) const {
    std::string found = readiness_.reason(now);
    if (!found.empty()) return found;
    const auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - nats_answered_);
    return silent < Readiness::patience ? "" : fmt::format("NATS has not answered for {} s", silent.count());
}

std::string View::not_ready() const {
    const std::lock_guard lock(mutex_);
    return reason(Clock::now());
}

std::string View::health_json() const {
    const std::lock_guard lock(mutex_);
    return seen_ && seen_->health ? to_json(*seen_->health) : "";
}

std::string View::metrics_text() const {
    Samples samples;
    add_to(samples);
    return samples.text();
}

void View::add_to(Samples& samples) const {
    const std::lock_guard lock(mutex_);
    Samples::Labels always{{"group", options_.group}};
    if (!options_.worker.empty()) always.emplace_back("worker", options_.worker);
    samples.label(std::move(always));
    sample_process(samples);
    sample_stream(samples);
    sample(samples, sql::postgres_time_us());
}

void View::sample_process(Samples& samples) const {
    samples.add("pgsluice_build_info", 1.0,
                {{"version", PGSLUICE_VERSION}, {"role", options_.role}, {"sink", options_.sink}});
    samples.add("pgsluice_running", options_.session->running.get());
    samples.add("pgsluice_ready", reason(Clock::now()).empty() ? 1.0 : 0.0);
    samples.add("pgsluice_session_failures_total", options_.session->retries.get());
    sample_links(samples);
    const bool long_wait = waits_long() || (options_.waits && !options_.waits->longest().empty());
    samples.add("pgsluice_long_wait", long_wait ? 1.0 : 0.0);
    samples.add("pgsluice_nats_up", seen_ ? 1.0 : 0.0);
}

// A replicator's only database is the source, a worker's the target.
void View::sample_links(Samples& samples) const {
    const bool replicates = options_.role == "replicator";
    if (replicates || options_.sink == "postgres")
        samples.add("pgsluice_lost_connections_total", options_.session->database_lost.get(),
                    {{"link", replicates ? "source" : "target"}});
    samples.add("pgsluice_lost_connections_total", options_.session->nats_lost.load(), {{"link", "nats"}});
}

void View::sample_stream(Samples& samples) const {
    if (!seen_) return;
    if (seen_->health && seen_->health->slot) {
        const SlotHealth& slot = *seen_->health->slot;
        samples.add("pgsluice_slot_lost", slot.invalidated || slot.wal_status == "lost" ? 1.0 : 0.0);
    }
    if (seen_->dead_letters) samples.add("pgsluice_dead_letters", *seen_->dead_letters);
    if (seen_->oldest_age) samples.add("pgsluice_stream_oldest_seconds", *seen_->oldest_age);
    if (!seen_->stream) return;
    samples.add("pgsluice_stream_bytes", seen_->stream->bytes);
    samples.add("pgsluice_stream_messages", seen_->stream->messages);
    if (seen_->stream->max_bytes > 0) samples.add("pgsluice_stream_max_bytes", seen_->stream->max_bytes);
}

void View::sample_lag(Samples& samples, const LagClock& clock, const Stage& stage, const std::string& name,
                      std::int64_t now_us) {
    if (const auto seconds = clock.seconds(stage.at.get(), stage.commit_time_us.get(), now_us))
        samples.add("pgsluice_lag_seconds", *seconds, {{"stage", name}});
}

void View::sample_wait(Samples& samples, const Spell& wait, const std::string& what) {
    samples.add("pgsluice_wait_seconds_total", wait.seconds(), {{"for", what}});
    samples.add("pgsluice_waiting_seconds", wait.running_seconds(), {{"for", what}});
}

}  // namespace pgsluice
