// Cuts tables into page ranges and hands them out. Pure.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace pgsluice {

// Rows are read where they lie: a part is the table itself or a leaf of a partitioned one.
struct PartSize {
    std::uint32_t table = 0;  // number in the snapshot
    std::uint32_t part = 0;   // number within the table
    std::uint64_t pages = 0;  // pg_relation_size / block_size; relpages is 0 for a table never analysed
    bool whole = false;       // not to be cut
};

struct PageRange {
    std::uint32_t table = 0;
    std::uint32_t part = 0;
    std::uint64_t first_page = 0;
    std::uint64_t end_page = 0;  // 0: open-ended; a part's last range is
    std::uint64_t pages = 0;     // as planned; 0 for an empty part

    bool operator==(const PageRange&) const = default;
};

// Ranges of about `range_pages` (a part's are equal in size), at least one for each part even if it is empty; largest
// table first, so that no thread is left alone with it at the end; in page order within a part.
std::vector<PageRange> plan_ranges(std::span<const PartSize> parts, std::uint64_t range_pages);

// One queue for all tables and threads. At most `per_table` ranges of a table are out at a time; a thread then gets the
// next table's, or waits.
class RangeQueue {
   public:
    RangeQueue(std::vector<PageRange> ranges, int per_table);

    // Nothing when all ranges have been handed out, or when asked to stop.
    std::optional<PageRange> take(const std::stop_token& stop);
    void finished(const PageRange& range);

   private:
    std::optional<PageRange> next_allowed();

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<PageRange> waiting_;
    std::vector<int> running_;  // by table
    int per_table_;
};

}  // namespace pgsluice
