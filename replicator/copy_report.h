// Counts what a copy has published and tells about it, at most so often.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "replicator/copy_progress.h"
#include "replicator/copy_queue.h"
#include "stream/log.h"

namespace pgsluice {

class CopyReport {
   public:
    // `on_progress` is told five times a second; when it is empty the log is, every five seconds. `keep` gets the
    // figures as JSON about every two seconds and at the end.
    CopyReport(CopyProgress progress, OnCopyProgress on_progress, std::function<void(std::string_view)> keep, Log log);

    void published(const CopiedBlock& block);
    // Call it often.
    void tell();
    void complete();
    [[nodiscard]] std::uint64_t rows() const noexcept { return progress_.rows; }
    [[nodiscard]] std::uint64_t ranges_left() const noexcept { return ranges_left_; }

   private:
    using Clock = std::chrono::steady_clock;
    void tell_now();

    CopyProgress progress_;
    OnCopyProgress on_progress_;
    std::function<void(std::string_view)> keep_;
    Log log_;
    std::uint64_t ranges_left_ = 0;
    Clock::time_point begun_ = Clock::now();
    Clock::time_point next_tell_ = begun_;
    Clock::time_point next_log_ = begun_ + std::chrono::seconds(5);
    Clock::time_point next_keep_ = begun_;
};

// {"epoch":1,"tables":3,"tables_done":1,"rows":..,"bytes":..,"estimated_bytes":..,"seconds":..,"complete":false}: the
// value of KV key "snapshot".
std::string to_json(const CopyProgress& progress);
// "copied 120000 rows, 13.1 MB at 41.2 MB/s; 1 of 3 tables complete".
std::string to_text(const CopyProgress& progress);

}  // namespace pgsluice
