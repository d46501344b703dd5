// Reads and decodes ahead of the sink, on a thread of its own, so that the next block is ready while the target works.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "stream/block_reader.h"
#include "stream/consumer.h"

namespace pgsluice {

struct Fetched {
    Message message;
    std::shared_ptr<const Block> block;  // kind changes only
};

class Fetcher {
   public:
    // Reads until destroyed. At most about this many bytes of message bodies wait decoded.
    Fetcher(Consumer& consumer, std::size_t max_bytes_ahead);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // The next message in order; nothing when none came within the time. Rethrows what the reading thread met, after
    // the messages that came before it.
    std::optional<Fetched> next(int timeout_ms);

   private:
    void read(const std::stop_token& stop);
    void push(Fetched fetched, const std::stop_token& stop);

    Consumer& consumer_;
    const std::size_t max_bytes_ahead_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Fetched> ready_;
    std::size_t bytes_ready_ = 0;
    std::exception_ptr failure_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
