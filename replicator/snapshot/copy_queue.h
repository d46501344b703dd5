// Hands blocks of COPY text from the copying threads to the one that publishes. Bounded, so that memory depends on
// neither the tables' sizes nor the publisher's speed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sql/page_ranges.h"

namespace pgsluice {

struct CopiedBlock {
    PageRange range;
    std::string text;  // whole lines
    std::uint64_t rows = 0;
    bool last = false;  // of its range; such a block may be empty
};

class CopyQueue {
   public:
    // A block larger than the limit passes when nothing else is in the queue.
    CopyQueue(std::size_t max_bytes, std::size_t kept_buffer_bytes)
        : max_bytes_(max_bytes), kept_buffer_bytes_(kept_buffer_bytes) {}

    // Waits for room; false when asked to stop.
    bool push(CopiedBlock block, const std::stop_token& stop);
    // Nothing when none came within the time. Rethrows what fail() was given.
    std::optional<CopiedBlock> pop(int timeout_ms);
    // Called by a copying thread that failed; the first one counts.
    void fail(std::exception_ptr reason);

    // An empty buffer, perhaps with memory from an earlier block.
    std::string buffer();
    void give_back(std::string buffer);

   private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<CopiedBlock> blocks_;
    std::vector<std::string> free_;
    std::exception_ptr failure_;
    std::size_t bytes_ = 0;
    std::size_t max_bytes_;
    std::size_t kept_buffer_bytes_;  // larger buffers are freed
};

}  // namespace pgsluice
