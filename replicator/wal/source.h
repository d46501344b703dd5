// Where the streaming loop gets its WAL, and its time: the one edge of the loop that a test replaces.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "sql/long_wait.h"
#include "sql/lsn.h"
#include "sql/replication.h"

namespace pgsluice {

class WalSource {
   public:
    using Clock = std::chrono::steady_clock;

    virtual ~WalSource() = default;

    // The next CopyData payload (replicator/wal/frame.h); nothing when nothing is here now. The view is valid until the
    // next call. Never blocks. A retry Error when the server ended the stream or the connection broke.
    virtual std::optional<std::string_view> receive() = 0;
    // Waits until there may be something to receive, at most this long.
    virtual void wait(std::chrono::milliseconds limit) = 0;
    // Lets the walsender get ahead of us, so that one wake-up brings many messages.
    virtual void nap(std::chrono::microseconds time) = 0;
    // Standby status update: tells the server that everything before `confirmed` is safe. Never blocks.
    virtual void send_status(Lsn confirmed, bool reply_requested) = 0;
    // Gives the connection up at once, with what has not been read of it. Nothing is received any more, and statuses
    // are not sent.
    virtual void close() noexcept = 0;
    // Ends the stream once the server has read every status sent before; gives up after the limit.
    virtual void end(std::chrono::milliseconds limit) noexcept = 0;
    // To be called while nothing comes, with how long that has been so, though the source was asked to answer. A retry
    // Error when waiting longer is in vain; true when the source is known to be at work on what it will send.
    virtual bool look(std::chrono::milliseconds /*silence*/) { return false; }
    // 0 when the server has none.
    [[nodiscard]] virtual std::chrono::milliseconds wal_sender_timeout() const = 0;
    [[nodiscard]] virtual Clock::time_point now() const = 0;
};

// The real one: a replication connection on which start_replication() was called.
class ReplicationWalSource final : public WalSource {
   public:
    // `wal_sender_timeout` as the server's setting says; 0 for none.
    ReplicationWalSource(sql::ReplicationConnection connection, std::chrono::milliseconds wal_sender_timeout)
        : connection_(std::move(connection)), wal_sender_timeout_(wal_sender_timeout) {}

    std::optional<std::string_view> receive() override;
    void wait(std::chrono::milliseconds limit) override;
    void nap(std::chrono::microseconds time) override;
    void send_status(Lsn confirmed, bool reply_requested) override;
    void close() noexcept override;
    void end(std::chrono::milliseconds limit) noexcept override;
    bool look(std::chrono::milliseconds silence) override;
    [[nodiscard]] std::chrono::milliseconds wal_sender_timeout() const override { return wal_sender_timeout_; }
    [[nodiscard]] Clock::time_point now() const override { return Clock::now(); }

   private:
    std::optional<sql::ReplicationConnection> connection_;  // until close()
    std::chrono::milliseconds wal_sender_timeout_;
    std::optional<sql::LongWait> silence_;
};

}  // namespace pgsluice
