#include "stream/nats/connection/wire.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "sql/outage.h"
#include "stream/base/backoff.h"
#include "stream/nats/connection/access.h"
#include "stream/nats/connection/server_urls.h"

namespace pgsluice::nats {

namespace {

// What the connection proves itself with.
struct Proof {
    bool certificate = false;
    bool signature = false;  // of the server's nonce, by a seed
};

// nats.c (3.4 at least) sends no signature when its first byte is zero, one of 256. The next nonce has another.
Connection connect_to(const Options& options, const std::string& name, const Proof& proof) {
    natsConnection* made = nullptr;
    auto status = natsConnection_Connect(&made, options.get());
    for (int again = 0; proof.signature && is_refused_login(status) && again < 2; ++again)
        status = natsConnection_Connect(&made, options.get());
    Connection connection(made);
    if (status != NATS_OK) throw_connect_error(name, status, proof.certificate);
    return connection;
}

// nats.c tries one server after the other, each for the full timeout, and cannot be interrupted. On a stop it is left
// to finish in a thread that owns everything it uses.
Connection connect_until_stopped(Options options, const std::string& name, const Proof& proof,
                                 const std::stop_token& stop) {
    std::packaged_task<Connection()> task(
        [options = std::move(options), name, proof] { return connect_to(options, name, proof); });
    auto connection = task.get_future();
    std::thread(std::move(task)).detach();
    while (connection.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
        if (stop.stop_requested()) throw Interrupted{};
    }
    return connection.get();
}

}  // namespace

Options Wire::make_options(const BrokerOptions& options) const {
    natsOptions* made = nullptr;
    nats::check(natsOptions_Create(&made), "prepare a NATS connection");
    Options owner(made);
    const auto set = [this](natsStatus status, const char* what) {
        if (status != NATS_OK) {
            throw usage_error(fmt::format("unable to use {} for NATS '{}': {}", what, name_, last_error(status)));
        }
    };
    const auto servers = parse_server_urls(options.url);
    std::vector<const char*> urls;
    for (const auto& url : servers.urls) urls.push_back(url.c_str());
    if (natsOptions_SetServers(made, urls.data(), static_cast<int>(urls.size())) != NATS_OK)
        throw unreadable_url(name_);
    set_access(*made, options, servers.login, name_);
    set(natsOptions_SetName(made, "pgsluice"), "a name");
    constexpr std::int64_t connect_timeout_ms = 2000;  // of one server; a stop cannot end a reconnect
    set(natsOptions_SetTimeout(made, connect_timeout_ms), "a timeout");
    // A request that can no longer be answered fails at once.
    set(natsOptions_SetFailRequestsOnDisconnect(made, true), "failing requests");
    set(natsOptions_SetMaxReconnect(made, -1), "reconnects");
    // Without it a server that hangs blocks the publisher's caller in send() until TCP gives up.
    constexpr std::int64_t write_deadline_ms = 2000;
    set(natsOptions_SetWriteDeadline(made, write_deadline_ms), "a write deadline");
    set(natsOptions_SetReconnectBufSize(made, 0), "a reconnect buffer");
    // Otherwise a thread of nats.c collects output for about a millisecond: publish to read took 0.9 ms instead of
    // 0.15. Our messages are blocks; there is nothing to collect.
    set(natsOptions_SetSendAsap(made, true), "sending at once");
    set(natsOptions_SetCustomReconnectDelay(made, &Wire::reconnect_delay, shared_), "a reconnect delay");
    set(natsOptions_SetPingInterval(made, 5000), "a ping interval");
    set(natsOptions_SetMaxPingsOut(made, 2), "a ping limit");
    set(natsOptions_SetDisconnectedCB(made, &Wire::on_disconnected, shared_), "a callback");
    set(natsOptions_SetReconnectedCB(made, &Wire::on_reconnected, shared_), "a callback");
    set(natsOptions_SetClosedCB(made, &Wire::on_closed, shared_), "a callback");
    set(natsOptions_SetErrorHandler(made, &Wire::on_error, shared_), "a callback");
    return owner;
}

Wire::Wire(const BrokerOptions& options, Log log, const std::stop_token& stop)
    : name_(describe_servers(options.url)), shared_(make_immortal()) {
    shared_->log = std::move(log);
    shared_->name = name_;
    shared_->on_lost = options.on_lost;
    shared_->inbox_prefix = options.inbox_prefix.empty() ? "_INBOX" : options.inbox_prefix;
    try {
        const Proof proof{!options.tls_cert_file.empty(),
                          !options.nkey_file.empty() || !options.credentials_file.empty()};
        connection_ = connect_until_stopped(make_options(options), name_, proof, stop);
    } catch (const Interrupted&) {
        shared_->closing = true;
        throw;
    } catch (const Error& error) {
        if (shared_->on_lost && error.action() == Action::retry) shared_->on_lost();
        throw;
    }
}

Wire::~Wire() {
    close();  // ends the thread that reads
    retired_.clear();
}

void Wire::close() const noexcept {
    shared_->closing = true;
    natsConnection_Close(connection_.get());
}

void Wire::require_open() const {
    if (shared_->closed && !shared_->closing) throw Outage(shared_->closed_text(), login_hint);
}

void Wire::retire(natsSubscription* subscription) const noexcept {
    static_cast<void>(natsSubscription_Unsubscribe(subscription));  // fails where the connection is closed
    const std::lock_guard lock(retired_mutex_);
    retired_.emplace_back(subscription);
}

// The answer to a ping comes through the reading thread, after whatever it was doing.
void Wire::free_retired() const {
    constexpr std::int64_t answer_ms = 1000;
    Retired old;
    {
        const std::lock_guard lock(retired_mutex_);
        old.swap(retired_);
    }
    if (old.empty() || natsConnection_FlushTimeout(connection(), answer_ms) == NATS_OK) return;
    const std::lock_guard lock(retired_mutex_);
    for (auto& each : old) retired_.push_back(std::move(each));
}

// Does not call the library: it may hold the connection's lock for seconds while it reconnects.
void Wire::on_disconnected(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    ++shared.disconnects;
    if (shared.on_lost && !shared.closing) shared.on_lost();
    shared.say(LogLevel::warning, fmt::format("lost the connection to NATS at '{}', reconnecting", shared.name));
}

void Wire::on_reconnected(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    shared.denials.clear();
    shared.say(LogLevel::info, fmt::format("reconnected to NATS at '{}'", shared.name));
}

void Wire::on_closed(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    shared.closed = true;
    ++shared.disconnects;
    shared.say(LogLevel::warning, shared.closed_text());
}

void Wire::on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    if (is_refused_login(status)) shared.refused = status;
    const std::string text = last_error(status);
    const auto denial = parse_denial(text);
    const bool is_new = denial && shared.denials.add(*denial, shared.inbox_prefix, std::chrono::steady_clock::now());
    shared.say(is_new ? LogLevel::warning : LogLevel::debug, fmt::format("NATS at '{}': {}", shared.name, text));
}

std::string Wire::Shared::closed_text() const {
    const natsStatus why = refused;
    return fmt::format("the connection to NATS at '{}' is closed for good{}", name,
                       why == NATS_OK ? "" : fmt::format(": {}", natsStatus_GetText(why)));
}

void Wire::Shared::say(LogLevel level, const std::string& text) const noexcept {
    if (!closing) log(level, text);
}

// A session creates only a few of these, so keeping them costs little.
Wire::Shared* Wire::make_immortal() {
    static std::mutex mutex;
    static auto& all = *new std::vector<std::unique_ptr<Shared>>;
    const std::lock_guard lock(mutex);
    return all.emplace_back(std::make_unique<Shared>()).get();
}

// 100 ms, doubled up to 2 s. `attempts` counts the rounds over all servers.
int64_t Wire::reconnect_delay(natsConnection*, int attempts, void*) noexcept {
    return doubled_wait_ms(100, 2000, std::max(attempts - 1, 0));
}

}  // namespace pgsluice::nats
