#include "sql/page_ranges.h"

#include <algorithm>

namespace pgsluice {

namespace {

void append_part(std::vector<PageRange>& ranges, const PartSize& part, std::uint64_t range_pages) {
    const std::uint64_t count =
        part.whole ? 1 : std::max<std::uint64_t>(1, (part.pages + range_pages / 2) / range_pages);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t first = part.pages * i / count;
        const std::uint64_t end = part.pages * (i + 1) / count;
        ranges.push_back({part.table, part.part, first, i + 1 == count ? 0 : end, end - first});
    }
}

}  // namespace

std::vector<PageRange> plan_ranges(std::span<const PartSize> parts, std::uint64_t range_pages) {
    std::vector<std::uint64_t> table_pages;
    for (const auto& part : parts) {
        if (part.table >= table_pages.size()) table_pages.resize(part.table + 1);
        table_pages[part.table] += part.pages;
    }
    std::vector<PartSize> ordered(parts.begin(), parts.end());
    std::stable_sort(ordered.begin(), ordered.end(), [&](const auto& a, const auto& b) {
        if (a.table == b.table) return a.pages > b.pages;
        const auto pages_a = table_pages[a.table];
        const auto pages_b = table_pages[b.table];
        return pages_a != pages_b ? pages_a > pages_b : a.table < b.table;
    });
    std::vector<PageRange> ranges;
    for (const auto& part : ordered) append_part(ranges, part, std::max<std::uint64_t>(1, range_pages));
    return ranges;
}

RangeQueue::RangeQueue(std::vector<PageRange> ranges, int per_table)
    : waiting_(ranges.begin(), ranges.end()), per_table_(std::max(1, per_table)) {
    for (const auto& range : ranges) {
        if (range.table >= running_.size()) running_.resize(range.table + 1);
    }
}

std::optional<PageRange> RangeQueue::next_allowed() {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const auto& range) { return running_[range.table] < per_table_; });
    if (found == waiting_.end()) return std::nullopt;
    const PageRange range = *found;
    waiting_.erase(found);
    ++running_[range.table];
    return range;
}

std::optional<PageRange> RangeQueue::take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    std::optional<PageRange> range;
    changed_.wait(lock, stop, [&] { return waiting_.empty() || (range = next_allowed()).has_value(); });
    return stop.stop_requested() ? std::nullopt : range;
}

void RangeQueue::finished(const PageRange& range) {
    {
        const std::lock_guard lock(mutex_);
        --running_[range.table];
    }
    changed_.notify_all();
}

}  // namespace pgsluice
