// The way to NATS of a broker, its publishers and consumers: a connection, and JetStream over it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/nats/connection/denials.h"
#include "stream/nats/connection/handle.h"
#include "stream/nats/connection/wire.h"
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
    // Connects once, or takes a connection that is shared (BrokerOptions::shares). `stop_grace_ms` after a stop it is
    // closed, so that every call still waiting for a server that hangs returns; those of others who share it, too,
    // which then make a new one.
    Link(const BrokerOptions& options, Log log, std::stop_token stop);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    [[nodiscard]] natsConnection* connection() const noexcept { return wire_->connection(); }
    [[nodiscard]] jsCtx* js() const noexcept { return js_.get(); }
    [[nodiscard]] const BrokerOptions& options() const noexcept { return options_; }
    [[nodiscard]] Seals& seals() const noexcept { return *seals_; }
    // As of Wire.
    [[nodiscard]] const std::string& name() const noexcept { return wire_->name(); }
    [[nodiscard]] bool connected() const noexcept { return wire_->connected(); }
    void require_open() const { wire_->require_open(); }
    [[nodiscard]] std::uint64_t disconnects() const noexcept { return wire_->disconnects(); }
    void log(LogLevel level, const std::string& text) const { wire_->log(level, text); }
    void retire(natsSubscription* subscription) const noexcept { wire_->retire(subscription); }
    void free_retired() const { wire_->free_retired(); }

    // For an operation that needs the permission to publish to a subject with `part` in it. As nats::check(); and where
    // no answer came because the server denies it, or denies its answers, a stop Error that names the permission.
    void check(natsStatus status, std::string_view doing, std::string_view part, int js_error = 0) const;
    [[nodiscard]] bool some_denied() const noexcept { return wire_->denials().any(); }
    // The same for what waits without a call that fails: throws where the server has denied it lately.
    void check_permitted(std::string_view doing, std::string_view part) const;

    // What the server has said it denies to a request to this subject.
    [[nodiscard]] std::optional<Denial> denial_of(std::string_view subject) const {
        return wire_->denials().of(subject, wire_->inbox_prefix());
    }

    // The stream's info; null when there is no such stream. With a filter, also its subjects that match.
    [[nodiscard]] StreamInfo stream_info(const std::string& stream, const char* subjects_filter = nullptr) const;

    // With the sequences of the messages that are missing in it.
    [[nodiscard]] StreamInfo stream_info_with_deleted(const std::string& stream) const;
    // A message of the stream by sequence; null when it does not exist.
    [[nodiscard]] Msg message(const std::string& stream, StreamSeq seq) const;

   private:
    [[nodiscard]] StreamInfo ask_stream_info(const std::string& stream, jsOptions& options) const;
    void close_in_time() noexcept;
    void close_after_grace(const std::stop_token& end);

    BrokerOptions options_;
    std::unique_ptr<Seals> seals_;
    std::shared_ptr<Wire> wire_;
    JetStream js_;
    std::jthread closer_;  // these two last: they use the connection
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace pgsluice::nats
