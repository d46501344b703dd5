// Counts what a copy has published and tells about it, at most so often.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replicator/snapshot/copy_queue.h"
#include "replicator/snapshot/progress.h"
#include "stream/base/log.h"

namespace pgsluice {

struct ReplicatorMetrics;

class SnapshotReport {
   public:
    // `on_progress` is told five times a second; when it is empty the log is, every five seconds. `keep` gets the
    // figures as JSON about every two seconds and at the end.
    SnapshotReport(SnapshotProgress progress, OnSnapshotProgress on_progress,
                   std::function<void(std::string_view)> keep, Log log);
    ~SnapshotReport();
    SnapshotReport(const SnapshotReport&) = delete;
    SnapshotReport& operator=(const SnapshotReport&) = delete;

    // Shows the figures there, about once a second. Must outlive this object.
    void show_in(ReplicatorMetrics& metrics) { metrics_ = &metrics; }

    void published(const CopiedBlock& block);
    // Of a direct snapshot: what a worker has loaded of the table since the copy began, with these ranges and pages.
    void loaded(std::size_t table, std::uint32_t ranges, std::uint64_t pages, std::uint64_t rows, std::uint64_t bytes);
    // Call it often.
    void tell();
    void complete();
    [[nodiscard]] std::size_t tables() const noexcept { return progress_.tables.size(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return progress_.rows; }
    [[nodiscard]] std::uint64_t rows_of(std::size_t table) const { return progress_.tables.at(table).rows; }
    [[nodiscard]] std::uint64_t ranges_left() const noexcept { return ranges_left_; }

   private:
    using Clock = std::chrono::steady_clock;
    struct Running {
        PageRange range;
        std::uint64_t bytes = 0;
    };
    Running& running(const PageRange& range);
    void done(const PageRange& range);

    SnapshotProgress progress_;
    OnSnapshotProgress on_progress_;
    std::function<void(std::string_view)> keep_;
    Log log_;
    ReplicatorMetrics* metrics_ = nullptr;
    std::vector<Running> running_;  // as many as there are connections
    std::uint64_t ranges_left_ = 0;
    std::vector<std::uint32_t> ranges_;  // in all, by table
    Clock::time_point begun_ = Clock::now();
    Clock::time_point next_tell_ = begun_;
    Clock::time_point next_log_ = begun_ + std::chrono::seconds(5);
    Clock::time_point next_keep_ = begun_;
    Clock::time_point next_show_ = begun_;
};

}  // namespace pgsluice
