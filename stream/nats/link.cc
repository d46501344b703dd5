#include "stream/nats/link.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "sql/outage.h"
#include "stream/backoff.h"
#include "stream/nats/access.h"
#include "stream/nats/server_urls.h"
#include "stream/pause.h"

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

Options Link::make_options(Shared* closure) const {
    natsOptions* made = nullptr;
    nats::check(natsOptions_Create(&made), "prepare a NATS connection");
    Options options(made);
    const auto set = [this](natsStatus status, const char* what) {
        if (status != NATS_OK) {
            throw usage_error(fmt::format("unable to use {} for NATS '{}': {}", what, name_, last_error(status)));
        }
    };
    const auto servers = parse_server_urls(options_.url);
    std::vector<const char*> urls;
    for (const auto& url : servers.urls) urls.push_back(url.c_str());
    if (natsOptions_SetServers(made, urls.data(), static_cast<int>(urls.size())) != NATS_OK)
        throw unreadable_url(name_);
    set_access(*made, options_, servers.login, name_);
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
    set(natsOptions_SetCustomReconnectDelay(made, &Link::reconnect_delay, closure), "a reconnect delay");
    set(natsOptions_SetPingInterval(made, 5000), "a ping interval");
    set(natsOptions_SetMaxPingsOut(made, 2), "a ping limit");
    set(natsOptions_SetDisconnectedCB(made, &Link::on_disconnected, closure), "a callback");
    set(natsOptions_SetReconnectedCB(made, &Link::on_reconnected, closure), "a callback");
    set(natsOptions_SetClosedCB(made, &Link::on_closed, closure), "a callback");
    set(natsOptions_SetErrorHandler(made, &Link::on_error, closure), "a callback");
    return options;
}

Link::Link(const BrokerOptions& options, Log log, std::stop_token stop)
    : options_(options),
      seals_(std::make_unique<Seals>(options.stream_key_file)),
      name_(describe_servers(options.url)),
      shared_(make_immortal()) {
    shared_->log = std::move(log);
    shared_->name = name_;
    shared_->on_lost = options_.on_lost;
    shared_->inbox_prefix = options_.inbox_prefix.empty() ? "_INBOX" : options_.inbox_prefix;
    try {
        const Proof proof{!options_.tls_cert_file.empty(),
                          !options_.nkey_file.empty() || !options_.credentials_file.empty()};
        connection_ = connect_until_stopped(make_options(shared_), name_, proof, stop);
    } catch (const Interrupted&) {
        shared_->closing = true;
        throw;
    } catch (const Error& error) {
        if (shared_->on_lost && error.action() == Action::retry) shared_->on_lost();
        throw;
    }
    jsOptions js_options;
    jsOptions_Init(&js_options);
    js_options.Wait = options_.request_timeout_ms;
    if (!options_.js_domain.empty()) js_options.Domain = options_.js_domain.c_str();
    jsCtx* js = nullptr;
    nats::check(natsConnection_JetStream(&js, connection(), &js_options), "use JetStream");
    js_.reset(js);
    if (stop.stop_possible()) on_stop_.emplace(std::move(stop), [this] { close_in_time(); });
}

// Only then a thread is needed.
void Link::close_in_time() noexcept {
    try {
        closer_ = std::jthread([this](const std::stop_token& end) { close_after_grace(end); });
    } catch (const std::system_error& error) {
        shared_->say(LogLevel::warning, fmt::format("a call that waits for NATS may hang: {}", error.what()));
    }
}

void Link::close_after_grace(const std::stop_token& end) {
    if (!pause(end, std::chrono::milliseconds(options_.stop_grace_ms))) return;
    log(LogLevel::debug, fmt::format("a call is still waiting for NATS at '{}'; closing the connection", name_));
    shared_->closing = true;
    natsConnection_Close(connection_.get());
}

void Link::require_open() const {
    if (shared_->closed && !shared_->closing) throw Outage(shared_->closed_text(), login_hint);
}

Link::~Link() {
    shared_->closing = true;
    on_stop_.reset();  // waits for the callback
    closer_ = {};
    natsConnection_Close(connection_.get());  // ends the thread that reads
    retired_.clear();
    js_.reset();
    connection_.reset();
}

void Retire::operator()(natsSubscription* subscription) const noexcept { link->retire(subscription); }

void Link::retire(natsSubscription* subscription) const noexcept {
    static_cast<void>(natsSubscription_Unsubscribe(subscription));  // fails where the connection is closed
    const std::lock_guard lock(retired_mutex_);
    retired_.emplace_back(subscription);
}

// The answer to a ping comes through the reading thread, after whatever it was doing.
void Link::free_retired() const {
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

// A call's time, and some for the words to arrive.
void Link::check_permitted(std::string_view doing, std::string_view part) const {
    if (!shared_->denials.any()) return;
    const auto lately = std::chrono::milliseconds(options_.request_timeout_ms + 1000);
    const auto denial = shared_->denials.find(part, std::chrono::steady_clock::now() - lately);
    if (denial) throw denied(doing, *denial);
}

void Link::check(natsStatus status, std::string_view doing, std::string_view part, int js_error) const {
    if (status == NATS_TIMEOUT) check_permitted(doing, part);
    nats::check(status, doing, js_error);
}

StreamInfo Link::stream_info(const std::string& stream, const char* subjects_filter) const {
    jsOptions options;
    jsOptions_Init(&options);
    options.Stream.Info.SubjectsFilter = subjects_filter;
    return ask_stream_info(stream, options);
}

StreamInfo Link::stream_info_with_deleted(const std::string& stream) const {
    jsOptions options;
    jsOptions_Init(&options);
    options.Stream.Info.DeletedDetails = true;
    return ask_stream_info(stream, options);
}

StreamInfo Link::ask_stream_info(const std::string& stream, jsOptions& options) const {
    jsStreamInfo* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetStreamInfo(&made, js(), stream.c_str(), &options, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return nullptr;
    check(status, fmt::format("read the state of stream '{}'", stream), "STREAM.INFO." + stream, js_error);
    return StreamInfo(made);
}

Msg Link::message(const std::string& stream, StreamSeq seq) const {
    natsMsg* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetMsg(&made, js(), stream.c_str(), seq.value, nullptr, &js_error);
    Msg msg(made);
    if (status == NATS_NOT_FOUND || js_error == JSNoMessageFoundErr || js_error == JSStreamNotFoundErr) return nullptr;
    check(status, fmt::format("read message {} of stream '{}'", seq.value, stream), "MSG.GET." + stream, js_error);
    return msg;
}

// Does not call the library: it may hold the connection's lock for seconds while it reconnects.
void Link::on_disconnected(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    ++shared.disconnects;
    if (shared.on_lost && !shared.closing) shared.on_lost();
    shared.say(LogLevel::warning, fmt::format("lost the connection to NATS at '{}', reconnecting", shared.name));
}

void Link::on_reconnected(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    shared.denials.clear();
    shared.say(LogLevel::info, fmt::format("reconnected to NATS at '{}'", shared.name));
}

void Link::on_closed(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    shared.closed = true;
    ++shared.disconnects;
    shared.say(LogLevel::warning, shared.closed_text());
}

void Link::on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    if (is_refused_login(status)) shared.refused = status;
    const std::string text = last_error(status);
    const auto denial = parse_denial(text);
    const bool is_new = denial && shared.denials.add(*denial, shared.inbox_prefix, std::chrono::steady_clock::now());
    shared.say(is_new ? LogLevel::warning : LogLevel::debug, fmt::format("NATS at '{}': {}", shared.name, text));
}

std::string Link::Shared::closed_text() const {
    const natsStatus why = refused;
    return fmt::format("the connection to NATS at '{}' is closed for good{}", name,
                       why == NATS_OK ? "" : fmt::format(": {}", natsStatus_GetText(why)));
}

void Link::Shared::say(LogLevel level, const std::string& text) const noexcept {
    if (!closing) log(level, text);
}

// A session creates only a few of these, so keeping them costs little.
Link::Shared* Link::make_immortal() {
    static std::mutex mutex;
    static auto& all = *new std::vector<std::unique_ptr<Shared>>;
    const std::lock_guard lock(mutex);
    return all.emplace_back(std::make_unique<Shared>()).get();
}

// 100 ms, doubled up to 2 s. `attempts` counts the rounds over all servers.
int64_t Link::reconnect_delay(natsConnection*, int attempts, void*) noexcept {
    return doubled_wait_ms(100, 2000, std::max(attempts - 1, 0));
}

}  // namespace pgsluice::nats
