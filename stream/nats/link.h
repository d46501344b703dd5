// One connection to NATS, shared by broker, publishers and consumers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "stream/broker.h"
#include "stream/log.h"
#include "stream/nats/denials.h"
#include "stream/nats/handle.h"
#include "stream/nats/seals.h"

namespace pgsluice::nats {

class Link;

struct Retire {
    const Link* link = nullptr;  // must outlive the subscription
    void operator()(natsSubscription* subscription) const noexcept;
};
using Subscription = std::unique_ptr<natsSubscription, Retire>;

class Link {
   public:
    // Connects once. After that the library reconnects forever, until
    //  - `stop_grace_ms` after a stop: then the connection is closed, so that every call still waiting for a server
    //  that
    //    hangs returns;
    //  - the server refuses us twice in a row, as with a password that was changed: then the library closes the
    //    connection for good. Every call fails from then on, and whoever waits without calling must require_open().
    Link(const BrokerOptions& options, Log log, std::stop_token stop);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    [[nodiscard]] natsConnection* connection() const noexcept { return connection_.get(); }
    [[nodiscard]] jsCtx* js() const noexcept { return js_.get(); }
    [[nodiscard]] const BrokerOptions& options() const noexcept { return options_; }
    [[nodiscard]] Seals& seals() const noexcept { return *seals_; }
    // The URL without user and password.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool connected() const noexcept {
        return natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED;
    }
    // A retry Error once the connection is closed for good. To be called in every wait, several times a second.
    void require_open() const;
    // Increases with every disconnect. Updated by another thread and so slightly late: a hint; correctness must not
    // depend on it.
    [[nodiscard]] std::uint64_t disconnects() const noexcept { return shared_->disconnects; }
    void log(LogLevel level, const std::string& text) const { shared_->log(level, text); }

    // For an operation that needs the permission to publish to a subject with `part` in it. As nats::check(); and where
    // no answer came because the server denies it, or denies its answers, a stop Error that names the permission.
    void check(natsStatus status, std::string_view doing, std::string_view part, int js_error = 0) const;
    [[nodiscard]] bool some_denied() const noexcept { return shared_->denials.any(); }
    // The same for what waits without a call that fails: throws where the server has denied it lately.
    void check_permitted(std::string_view doing, std::string_view part) const;

    // What the server has said it denies to a request to this subject.
    [[nodiscard]] std::optional<Denial> denial_of(std::string_view subject) const {
        return shared_->denials.of(subject, shared_->inbox_prefix);
    }

    // The stream's info; null when there is no such stream. With a filter, also its subjects that match.
    [[nodiscard]] StreamInfo stream_info(const std::string& stream, const char* subjects_filter = nullptr) const;

    // With the sequences of the messages that are missing in it.
    [[nodiscard]] StreamInfo stream_info_with_deleted(const std::string& stream) const;
    // A message of the stream by sequence; null when it does not exist.
    [[nodiscard]] Msg message(const std::string& stream, StreamSeq seq) const;

    // Unsubscribes. The thread that reads the connection may be using the subscription, and nats.c 3.4 does not count
    // that as a reference, so it is freed later, when that thread has moved on.
    void retire(natsSubscription* subscription) const noexcept;
    // Frees retired subscriptions, if the server answers soon.
    void free_retired() const;

   private:
    [[nodiscard]] StreamInfo ask_stream_info(const std::string& stream, jsOptions& options) const;
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
    [[nodiscard]] Options make_options(Shared* closure) const;
    void close_in_time() noexcept;
    void close_after_grace(const std::stop_token& end);

    BrokerOptions options_;
    std::unique_ptr<Seals> seals_;
    std::string name_;
    Shared* shared_;
    Connection connection_;
    JetStream js_;
    using Retired = std::vector<std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>>>;
    mutable std::mutex retired_mutex_;
    mutable Retired retired_;
    std::jthread closer_;  // these two last: they use the connection
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace pgsluice::nats
