// A connection to NATS as nats.c makes it, and what its callbacks note. Of one Link, or of several (shared_wires.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/nats/connection/denials.h"
#include "stream/nats/connection/handle.h"

namespace pgsluice::nats {

// Calls may come from several threads at a time.
class Wire {
   public:
    // Connects once. After that the library reconnects forever, until the server refuses us twice in a row, as with a
    // password that was changed: then the library closes the connection for good. Every call fails from then on, and
    // whoever waits without calling must require_open().
    Wire(const BrokerOptions& options, Log log, const std::stop_token& stop);
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    [[nodiscard]] natsConnection* connection() const noexcept { return connection_.get(); }
    // The URL without user and password.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool connected() const noexcept {
        return natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED;
    }
    // Neither the server nor we have closed it.
    [[nodiscard]] bool open() const noexcept { return !shared_->closed && !shared_->closing; }
    // A retry Error once the connection is closed for good. To be called in every wait, several times a second.
    void require_open() const;
    // Increases with every disconnect. Updated by another thread and so slightly late: a hint; correctness must not
    // depend on it.
    [[nodiscard]] std::uint64_t disconnects() const noexcept { return shared_->disconnects; }
    void log(LogLevel level, const std::string& text) const { shared_->log(level, text); }
    // As log(), but not about what comes of our closing it.
    void say(LogLevel level, const std::string& text) const noexcept { shared_->say(level, text); }
    [[nodiscard]] Denials& denials() const noexcept { return shared_->denials; }
    [[nodiscard]] const std::string& inbox_prefix() const noexcept { return shared_->inbox_prefix; }

    // Every call that still waits for a server that hangs returns.
    void close() const noexcept;

    // Unsubscribes. The thread that reads the connection may be using the subscription, and nats.c 3.4 does not count
    // that as a reference, so it is freed later, when that thread has moved on.
    void retire(natsSubscription* subscription) const noexcept;
    // Frees retired subscriptions, if the server answers soon.
    void free_retired() const;

   private:
    // Used by callbacks. Never freed: threads and timers of the library may report an error even after on_closed().
    struct Shared {
        Log log;
        std::string name;
        std::string inbox_prefix;
        std::function<void()> on_lost;
        Denials denials;
        std::atomic<std::uint64_t> disconnects{0};
        std::atomic<bool> closing{false};          // by us: not worth a message
        std::atomic<natsStatus> refused{NATS_OK};  // why the server did not take us at the last attempt
        std::atomic<bool> closed{false};
        void say(LogLevel level, const std::string& text) const noexcept;
        [[nodiscard]] std::string closed_text() const;
    };
    static Shared* make_immortal();
    static void on_disconnected(natsConnection*, void* closure) noexcept;
    static void on_reconnected(natsConnection*, void* closure) noexcept;
    static void on_closed(natsConnection*, void* closure) noexcept;
    static void on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept;
    static int64_t reconnect_delay(natsConnection*, int attempts, void* closure) noexcept;
    [[nodiscard]] Options make_options(const BrokerOptions& options) const;

    std::string name_;
    Shared* shared_;
    Connection connection_;
    using Retired = std::vector<std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>>>;
    mutable std::mutex retired_mutex_;
    mutable Retired retired_;
};

}  // namespace pgsluice::nats
