// Reads and decodes the stream's messages; ahead of the sink where there is a backlog, on a thread of its own, so that
// the next block is ready while the target works. Where messages come one by one, the caller reads them itself: that
// saves each the way from one thread to another.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "stream/consumer.h"
#include "stream/format/block_reader.h"

namespace pgsluice {

struct Fetched {
    Message message;
    std::shared_ptr<const Block> block;  // kind changes only
};

class Fetcher {
   public:
    // At most about this many bytes of message bodies wait decoded. Nothing else may use the consumer meanwhile.
    // `hint` is for a block that cannot be read.
    Fetcher(Consumer& consumer, std::size_t max_bytes_ahead, std::string hint);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // The next message in order; nothing when none came within the time. Throws what reading and decoding throw, also
    // what the thread met, after the messages that came before it. Calls come from one thread.
    std::optional<Fetched> next(int timeout_ms);

   private:
    std::optional<Fetched> read(int timeout_ms);
    std::optional<Fetched> take();
    std::shared_ptr<const Block> read_block(const Message& message);
    void run(const std::stop_token& stop);
    void read_ahead(const std::stop_token& stop);
    void push(Fetched fetched, const std::stop_token& stop);

    Consumer& consumer_;  // this and the next are the thread's while ahead_, else the caller's
    BlockReader blocks_;
    const std::size_t max_bytes_ahead_;
    const std::string hint_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool ahead_ = false;
    std::deque<Fetched> ready_;
    std::size_t bytes_ready_ = 0;
    std::exception_ptr failure_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
