// What the pages of one process are made of: looked at once a second by one thread, read by the server's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cmd/http/lag_clock.h"
#include "cmd/http/readiness.h"
#include "cmd/http/samples.h"
#include "cmd/http/session_state.h"
#include "cmd/http/stream_observation.h"
#include "replicator/replicator_metrics.h"
#include "sinks/postgres/conflict_metrics.h"
#include "sinks/webhook/request_metrics.h"
#include "stream/waits.h"
#include "worker/shown_rows.h"
#include "worker/worker_metrics.h"

namespace pgsluice {

// What both kinds of process have in common.
struct ViewOptions {
    std::string role;  // "replicator", "worker"
    std::string group;
    std::string worker;  // its name; empty for a replicator
    std::string sink;
    std::shared_ptr<SessionState> session;
    std::shared_ptr<const Waits> waits;
};

class View {
   public:
    explicit View(ViewOptions options) : options_(std::move(options)) {}
    virtual ~View() = default;

    // `seen`: nothing when NATS does not answer.
    void look(std::optional<StreamObservation> seen);
    // Why it is not ready; empty when it is.
    [[nodiscard]] std::string not_ready() const;
    // What it is ready as: "ready", or more.
    [[nodiscard]] virtual std::string ready_as() const { return "ready"; }
    [[nodiscard]] std::string metrics_text() const;
    // The same to others' samples, which must not outlive it.
    void add_to(Samples& samples) const;
    [[nodiscard]] const ViewOptions& options() const noexcept { return options_; }
    // Of the group, as `pgsluice status --json` shows it; empty while NATS does not say.
    [[nodiscard]] std::string health_json() const;
    // What this process did with each table, as fields of a JSON object: "snapshot":[...],"tables":[...].
    [[nodiscard]] virtual std::string tables_json() const = 0;
    // Whether it shows rows that pass (--http-show-rows), and those, as a JSON object: by being asked for.
    [[nodiscard]] virtual bool shows_rows() const { return false; }
    [[nodiscard]] virtual std::string rows_json() const { return ""; }

   protected:
    virtual void follow(const StreamObservation* seen, std::int64_t now_us) = 0;
    [[nodiscard]] virtual Movement movement(const StreamObservation* seen) const = 0;
    virtual void sample(Samples& samples, std::int64_t now_us) const = 0;
    // For something that its log says, and that is not among `waits`.
    [[nodiscard]] virtual bool waits_long() const { return false; }

    static void sample_lag(Samples& samples, const LagClock& clock, const Stage& stage, const std::string& name,
                           std::int64_t now_us);
    static void sample_wait(Samples& samples, const Spell& wait, const std::string& what);
    [[nodiscard]] const std::optional<StreamObservation>& seen() const { return seen_; }

   private:
    [[nodiscard]] std::string reason(Readiness::Time now) const;
    void sample_process(Samples& samples) const;
    void sample_links(Samples& samples) const;
    void sample_stream(Samples& samples) const;

    const ViewOptions options_;
    mutable std::mutex mutex_;  // guards all below, and what the derived class keeps
    std::optional<StreamObservation> seen_;
    Readiness readiness_;
    Readiness::Time nats_answered_ = std::chrono::steady_clock::now();
};

class ReplicatorView : public View {
   public:
    ReplicatorView(ViewOptions options, std::shared_ptr<const ReplicatorMetrics> metrics)
        : View(std::move(options)), metrics_(std::move(metrics)) {}

    [[nodiscard]] std::string ready_as() const override;
    [[nodiscard]] std::string tables_json() const override;

   protected:
    void follow(const StreamObservation* seen, std::int64_t now_us) override;
    [[nodiscard]] Movement movement(const StreamObservation* seen) const override;
    void sample(Samples& samples, std::int64_t now_us) const override;
    [[nodiscard]] bool waits_long() const override;

   private:
    void sample_tables(Samples& samples) const;
    void sample_slot(Samples& samples) const;
    void sample_snapshot(Samples& samples) const;
    void sample_workers(Samples& samples, std::int64_t now_us) const;
    [[nodiscard]] std::string waits_for(std::int64_t bytes_unsent) const;

    struct WorkerClocks {
        LagClock applied;
        LagClock durable;
    };
    std::shared_ptr<const ReplicatorMetrics> metrics_;
    LagClock received_;
    LagClock published_;
    std::map<std::string, WorkerClocks> workers_;
};

class WorkerView : public View {
   public:
    // `requests`: of a webhook sink, and `conflicts` of a postgres sink; else null.
    // `rows`: null unless they are shown.
    WorkerView(ViewOptions options, std::shared_ptr<const WorkerMetrics> metrics,
               std::shared_ptr<const RequestMetrics> requests, std::shared_ptr<const ConflictMetrics> conflicts,
               std::shared_ptr<ShownRows> rows)
        : View(std::move(options)),
          metrics_(std::move(metrics)),
          requests_(std::move(requests)),
          conflicts_(std::move(conflicts)),
          rows_(std::move(rows)) {}

    [[nodiscard]] std::string tables_json() const override;
    [[nodiscard]] bool shows_rows() const override { return rows_ != nullptr; }
    [[nodiscard]] std::string rows_json() const override;

   protected:
    void follow(const StreamObservation* seen, std::int64_t now_us) override;
    [[nodiscard]] Movement movement(const StreamObservation* seen) const override;
    void sample(Samples& samples, std::int64_t now_us) const override;

   private:
    void sample_tables(Samples& samples) const;
    void sample_lags(Samples& samples, std::int64_t now_us) const;

    void sample_requests(Samples& samples) const;
    void sample_conflicts(Samples& samples) const;

    std::shared_ptr<const WorkerMetrics> metrics_;
    std::shared_ptr<const RequestMetrics> requests_;
    std::shared_ptr<const ConflictMetrics> conflicts_;
    std::shared_ptr<ShownRows> rows_;
    LagClock applied_;
    LagClock durable_;
};

}  // namespace pgsluice
