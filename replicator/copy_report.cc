#include "replicator/copy_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

std::size_t tables_done(const CopyProgress& progress) {
    return static_cast<std::size_t>(std::count_if(progress.tables.begin(), progress.tables.end(),
                                                  [](const TableProgress& table) { return table.ranges_left == 0; }));
}

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

CopyReport::CopyReport(CopyProgress progress, OnCopyProgress on_progress, std::function<void(std::string_view)> keep,
                       Log log)
    : progress_(std::move(progress)),
      on_progress_(std::move(on_progress)),
      keep_(std::move(keep)),
      log_(std::move(log)) {
    for (const auto& table : progress_.tables) ranges_left_ += table.ranges_left;
}

void CopyReport::published(const CopiedBlock& block) {
    TableProgress& table = progress_.tables[block.range.table];
    table.rows += block.rows;
    table.bytes += block.text.size();
    progress_.rows += block.rows;
    progress_.bytes += block.text.size();
    if (!block.last) return;
    table.pages_done += block.range.pages;
    --table.ranges_left;
    --ranges_left_;
}

void CopyReport::tell() {
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
    if (keep_ && now >= next_keep_) {
        keep_(to_json(progress_));
        next_keep_ = now + std::chrono::seconds(2);
    }
}

void CopyReport::complete() {
    progress_.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    progress_.complete = true;
    if (on_progress_) on_progress_(progress_);
    log_(LogLevel::info, to_text(progress_));
    if (keep_) keep_(to_json(progress_));
}

std::string to_json(const CopyProgress& progress) {
    std::uint64_t estimated = 0;
    for (const auto& table : progress.tables) estimated += table.estimated_bytes;
    return fmt::format(
        R"({{"epoch":{},"tables":{},"tables_done":{},"rows":{},"bytes":{},"estimated_bytes":{},"seconds":{:.1f},"complete":{}}})",
        progress.epoch, progress.tables.size(), tables_done(progress), progress.rows, progress.bytes, estimated,
        progress.seconds, progress.complete);
}

std::string to_text(const CopyProgress& progress) {
    const double mb = megabytes(progress.bytes);
    return fmt::format("copied {} rows, {:.1f} MB at {:.1f} MB/s; {} of {} tables complete", progress.rows, mb,
                       mb / std::max(progress.seconds, 0.001), tables_done(progress), progress.tables.size());
}

}  // namespace pgsluice
