// A direct snapshot on its way to the sink: its rows are not in the stream, the sink reads them from the source.
//
//   at its begin marker, where                                             then
//   --------------------------------------------------------------------  -------------------------------------------
//   a later snapshot has begun                                             pass over it: that one has all rows
//   the worker was not started with --snapshot direct                      a stop Error
//   another worker loads it, or has                                        a stop Error
//   the source holds it, or all was loaded before a restart                load it, and say so to the replicator
//   the source does not, and this worker has said that all is loaded       a stop Error: the sink has lost it
//   the source does not                                                    pass over it: the replicator begins another
//
// The replicator ends it once all is loaded, and only while it holds the snapshot itself: so one that ends is one whose
// ranges were all read from that snapshot, whatever else this worker may have read before.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sinks/loads_directly.h"
#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/group/direct_copy.h"
#include "worker/options.h"

namespace pgsluice {

class DirectSnapshot {
   public:
    DirectSnapshot(const WorkerOptions& options, Sink& sink, Broker& broker, const Log& log);

    // At each begin marker, before the sink hears of it; without a plan, the rows are in the stream. False: it is
    // passed over.
    bool begins(const SnapshotBegin& begin, const std::optional<DirectPlan>& plan, const std::string& source);
    // Whether the last one was passed over and another must come before any change does.
    [[nodiscard]] bool awaits_another() const noexcept { return awaits_another_; }
    // After the sink's begin_snapshot(). `tell` is called several times a second with what was committed; once it
    // returns false, loading is given up, and so it is when the replicator begins another snapshot.
    void load(const std::vector<DirectTable>& tables, const std::function<bool(const std::vector<DirectRange>&)>& tell);
    // At an end marker: whether the sink is to be told. A stop Error where it lacks rows.
    [[nodiscard]] bool ends(const SnapshotEnd& end) const;

   private:
    bool opens(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source);
    [[nodiscard]] bool is_replaced(std::uint64_t epoch);
    void claim(const SnapshotBegin& begin);
    void add(const std::vector<DirectRange>& committed);
    bool report_if_due();
    void report_loaded();
    [[nodiscard]] Error not_in_stream(const SnapshotBegin& begin, const std::string& why) const;

    const WorkerOptions& options_;
    LoadsDirectly* const sink_;  // null: it cannot
    Broker& broker_;
    const Log& log_;
    DirectCopy copy_;                      // of the one that is loaded
    std::optional<std::uint64_t> passed_;  // the epoch that was passed over
    bool awaits_another_ = false;
    std::optional<std::uint64_t> incomplete_;  // the epoch of which rows are missing
    std::chrono::steady_clock::time_point next_report_{};
};

}  // namespace pgsluice
