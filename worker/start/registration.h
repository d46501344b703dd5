// A worker's name in its group: its entry in the registry, which one running worker may have.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/group/registry.h"
#include "stream/metrics/rate.h"
#include "worker/options.h"
#include "worker/session.h"

namespace pgsluice {

class Registration {
   public:
    Registration(Broker& broker, const WorkerOptions& options) : options_(options), registry_(broker, options.names) {}

    // Makes sure that no other worker has the name; `state` is what the sink's open() returned. A retry Error when
    // another one is running under it, a stop Error when it belongs to a worker with another kind of sink.
    void take_name(const Sink& sink, const std::optional<SinkState>& state, const Log& log,
                   const std::stop_token& stop);
    // Its place among the shares of its name (share/start.h). Which of its rows are delivered already.
    std::vector<DeliveredPart> enter_share(Broker& broker, Sink& sink, const Log& log, const std::stop_token& stop);
    // All of its rows are delivered again: nothing counts that was delivered before.
    void start_over() { handover_.reset(); }
    // Then: the state of a sink that keeps none itself, which is resumed from it.
    std::optional<SinkState> recall(Sink& sink);
    // Or where a sink that keeps its state begins: `state` is what open() returned.
    std::optional<SinkState> begin(Sink& sink, const std::optional<SinkState>& state);
    // The newest begin marker of the snapshot that the sink is loading. The registry may name a later one than the sink
    // wrote down, and then the stream may have been trimmed up to that.
    StreamSeq begin_marker(const SinkState& state);
    // Registers the worker: from here on nothing that it needs is trimmed.
    void enter(const SinkState& durable, const Checkpoint& applied);
    // Every second time where there is nothing new. Returns what the sink has made durable, now or before.
    SinkState report(const WorkerReport& report);
    // What ended the session, and whether another one follows.
    void note_failure(std::string error, bool tries_again) {
        failure_ = std::move(error);
        tries_again_ = tries_again;
    }
    // The name is free for the next worker.
    void leave() noexcept { registry_.leave(options_.worker, failure_, tries_again_); }

   private:
    [[nodiscard]] bool is_beyond_handover() const;
    [[nodiscard]] WorkerEntry entry(const WorkerReport& report) const;

    const WorkerOptions& options_;
    WorkerRegistry registry_;
    SinkState durable_;
    WorkerEntry reported_;  // and when:
    std::chrono::steady_clock::time_point reported_at_;
    Rate rate_;
    std::string failure_;
    bool tries_again_ = false;
    std::optional<WorkerEntry> own_;    // as it was before this session
    std::optional<Handover> handover_;  // until we are beyond it
};

}  // namespace pgsluice
