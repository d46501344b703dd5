#include "replicator/snapshot/report.h"

#include <algorithm>

#include "replicator/replicator_metrics.h"

namespace pgsluice {

SnapshotReport::SnapshotReport(SnapshotProgress progress, OnSnapshotProgress on_progress,
                               std::function<void(std::string_view)> keep, Log log)
    : progress_(std::move(progress)),
      on_progress_(std::move(on_progress)),
      keep_(std::move(keep)),
      log_(std::move(log)) {
    for (const auto& table : progress_.tables) {
        ranges_left_ += table.ranges_left;
        ranges_.push_back(table.ranges_left);
    }
}

// Whoever draws the progress must not be left with it when the copy fails.
SnapshotReport::~SnapshotReport() {
    if (!on_progress_ || progress_.ended) return;
    progress_.ended = true;
    try {
        on_progress_(progress_);
    } catch (...) {  // another exception is under way
    }
}

SnapshotReport::Running& SnapshotReport::running(const PageRange& range) {
    const auto known =
        std::find_if(running_.begin(), running_.end(), [&](const Running& each) { return each.range == range; });
    if (known != running_.end()) return *known;
    TableProgress& table = progress_.tables[range.table];
    ++table.ranges_running;
    table.pages_running += range.pages;
    return running_.emplace_back(Running{range, 0});
}

void SnapshotReport::done(const PageRange& range) {
    TableProgress& table = progress_.tables[range.table];
    table.bytes_done += running(range).bytes;
    std::erase_if(running_, [&](const Running& each) { return each.range == range; });
    --table.ranges_running;
    table.pages_running -= range.pages;
    table.pages_done += range.pages;
    --table.ranges_left;
    --ranges_left_;
}

void SnapshotReport::published(const CopiedBlock& block) {
    TableProgress& table = progress_.tables[block.range.table];
    table.rows += block.rows;
    table.bytes += block.text.size();
    progress_.rows += block.rows;
    progress_.bytes += block.text.size();
    running(block.range).bytes += block.text.size();
    if (block.last) done(block.range);
}

void SnapshotReport::loaded(std::size_t number, std::uint32_t ranges, std::uint64_t pages, std::uint64_t rows,
                            std::uint64_t bytes) {
    TableProgress& table = progress_.tables.at(number);
    progress_.rows += rows - table.rows;
    progress_.bytes += bytes - table.bytes;
    table.rows = rows;
    table.bytes = table.bytes_done = bytes;
    table.pages_done = std::min(pages, table.pages);
    table.ranges_left = ranges_[number] - std::min(ranges, ranges_[number]);
}

void SnapshotReport::tell() {
    const auto now = Clock::now();
    progress_.seconds = std::chrono::duration<double>(now - begun_).count();
    if (on_progress_ && now >= next_tell_) {
        on_progress_(progress_);
        next_tell_ = now + std::chrono::milliseconds(200);
    }
    if (!on_progress_ && now >= next_log_) {
        log_(LogLevel::info, to_text(progress_));
        next_log_ = now + std::chrono::seconds(5);
    }
    if (metrics_ != nullptr && now >= next_show_) {
        metrics_->snapshot.set(progress_);
        next_show_ = now + std::chrono::seconds(1);
    }
    if (keep_ && now >= next_keep_) {
        keep_(to_json(progress_));
        next_keep_ = now + std::chrono::seconds(2);
    }
}

void SnapshotReport::complete() {
    progress_.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    progress_.complete = progress_.ended = true;
    if (metrics_ != nullptr) metrics_->snapshot.set(progress_);
    if (on_progress_) on_progress_(progress_);
    log_(LogLevel::info, to_text(progress_));
    if (keep_) keep_(to_json(progress_));
}

}  // namespace pgsluice
