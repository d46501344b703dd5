// What needs doing while a replicator copies or streams, on a thread of its own and over a connection beside the
// data's, which never waits for it: trimming the stream to what its workers still need, and how far `--confirm applied`
// lets the slot advance.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include "replicator/options.h"
#include "sql/error.h"
#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

class Housekeeper {
   public:
    Housekeeper(const ReplicatorOptions& options, Log log);
    ~Housekeeper();
    Housekeeper(const Housekeeper&) = delete;
    Housekeeper& operator=(const Housekeeper&) = delete;

    // Everything committed before it is durable at every registered worker; 0/0 while that is not known. Never falls.
    [[nodiscard]] Lsn applied() const noexcept { return Lsn{applied_.load()}; }

    // Throws a stop Error when the stream is full of one unfinished transaction: its end finds no room, and until it
    // has come nothing can be trimmed. A retry Error when the stream's settings were changed so that it may lose what
    // is unread: the next start says what.
    void check() const;
    // Tells whether the stream refuses the next message for lack of room; to be called often.
    void stream_refuses(bool refuses) noexcept;
    // Tells how far the slot may be confirmed; to be called often.
    void confirmed(Lsn lsn) noexcept;
    // Whether new copies of tables were asked for (stream/group/copy_request.h).
    [[nodiscard]] bool copies_requested() const noexcept { return copies_requested_; }
    // The same as check(), having looked at the stream's settings just now.
    void check(Broker& broker) const;

   private:
    [[nodiscard]] Error changed() const;
    void run(const std::stop_token& stop);
    void look_after_stream(const std::stop_token& stop);
    void look_soon() noexcept;
    bool rest(std::chrono::milliseconds time, const std::stop_token& stop, bool& woken);

    const ReplicatorOptions& options_;
    const Log log_;
    std::atomic<std::uint64_t> applied_{0};
    std::atomic<bool> stuck_{false};
    std::atomic<bool> loses_{false};
    std::atomic<bool> refused_{false};
    std::atomic<bool> copies_requested_{false};
    Lsn confirmed_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool quiet_ = false;   // the thread takes a long rest
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
