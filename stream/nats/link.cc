#include "stream/nats/link.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "stream/backoff.h"
#include "stream/pause.h"

namespace pgsluice::nats {

namespace {

std::vector<std::string> split(const std::string& urls) {
    std::vector<std::string> list;
    for (std::size_t from = 0; from <= urls.size();) {
        const auto comma = std::min(urls.find(',', from), urls.size());
        auto url = urls.substr(from, comma - from);
        std::erase(url, ' ');
        if (!url.empty()) list.push_back(url);
        from = comma + 1;
    }
    return list;
}

std::string without_password(std::string url) {
    const auto scheme = url.find("://");
    const auto start = scheme == std::string::npos ? 0 : scheme + 3;
    const auto at = url.rfind('@');
    if (at != std::string::npos && at >= start) url.erase(start, at + 1 - start);
    return url;
}

// A comma in a password cuts a URL in two. What comes before a piece that has user and password but no scheme may be
// the rest of them, so it is not shown either.
std::string describe(const std::vector<std::string>& urls) {
    std::string names;
    for (const auto& url : urls) {
        const auto at = url.find('@');
        if (at != std::string::npos && url.find("://") >= at) names.clear();
        names += (names.empty() ? "" : ",") + without_password(url);
    }
    return names;
}

// Errors that a retry cannot fix. Any other, even half a greeting, may come from a dying server, a cut line or a proxy.
bool is_setting(natsStatus status) {
    switch (status) {
        case NATS_ADDRESS_MISSING:
        case NATS_INVALID_ARG:
        case NATS_SECURE_CONNECTION_REQUIRED:
        case NATS_SECURE_CONNECTION_WANTED:
        case NATS_NOT_INITIALIZED:
            return true;
        default:
            return false;
    }
}

// The library's reason may quote a piece of the URL, and so of a password.
Error unreadable_url(const std::string& name) {
    return usage_error(fmt::format("unable to read the URL of NATS at '{}'", name),
                       "Use nats://user:password@host:port. A password with one of the characters @ : / , in it cannot "
                       "be told from the rest: change it, or use --nats-credentials.");
}

Connection connect_to(const Options& options, const std::string& name) {
    natsConnection* made = nullptr;
    const auto status = natsConnection_Connect(&made, options.get());
    Connection connection(made);
    const auto doing = fmt::format("connect to NATS at '{}'", name);
    if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
        throw stop_error(fmt::format("unable to {}: {}", doing, last_error(status)),
                         "Give user:password@ or token@ in --nats-url, or a file in --nats-credentials.");
    }
    if (status != NATS_OK) {
        if (status == NATS_INVALID_ARG || status == NATS_ADDRESS_MISSING) throw unreadable_url(name);
        if (is_setting(status)) throw error(doing, status);
        throw retry_error(fmt::format("unable to {}: {}", doing, last_error(status)),
                          "Start the server with `nats-server -js`, or give its address in --nats-url.");
    }
    return connection;
}

// nats.c tries one server after the other, each for the full timeout, and cannot be interrupted. On a stop it is left
// to finish in a thread that owns everything it uses.
Connection connect_until_stopped(Options options, const std::string& name, const std::stop_token& stop) {
    std::packaged_task<Connection()> task([options = std::move(options), name] { return connect_to(options, name); });
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
    check(natsOptions_Create(&made), "prepare a NATS connection");
    Options options(made);
    const auto set = [this](natsStatus status, const char* what) {
        if (status != NATS_OK) {
            throw usage_error(fmt::format("unable to use {} for NATS '{}': {}", what, name_, last_error(status)));
        }
    };
    const auto urls = split(options_.url);
    std::vector<const char*> servers;
    for (const auto& url : urls) servers.push_back(url.c_str());
    if (servers.empty())
        throw usage_error("unable to connect to NATS: no URL given", "Give the server's address in --nats-url.");
    if (natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())) != NATS_OK)
        throw unreadable_url(name_);
    if (!options_.credentials_file.empty()) {
        set(natsOptions_SetUserCredentialsFromFiles(made, options_.credentials_file.c_str(), nullptr),
            "the credentials file");
    }
    if (!options_.tls_ca_file.empty()) {
        set(natsOptions_SetSecure(made, true), "TLS");
        set(natsOptions_LoadCATrustedCertificates(made, options_.tls_ca_file.c_str()), "the TLS CA file");
    }
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
    : options_(options), name_(describe(split(options.url))), shared_(make_immortal()) {
    shared_->log = std::move(log);
    shared_->name = name_;
    try {
        connection_ = connect_until_stopped(make_options(shared_), name_, stop);
    } catch (const Interrupted&) {
        shared_->closing = true;
        throw;
    }
    jsOptions js_options;
    jsOptions_Init(&js_options);
    js_options.Wait = options_.request_timeout_ms;
    jsCtx* js = nullptr;
    check(natsConnection_JetStream(&js, connection(), &js_options), "use JetStream");
    js_.reset(js);
    if (stop.stop_possible()) {
        closer_ =
            std::jthread([this, stop = std::move(stop)](const std::stop_token& end) { close_after_stop(stop, end); });
    }
}

void Link::close_after_stop(const std::stop_token& stop, const std::stop_token& end) {
    std::mutex mutex;
    std::condition_variable_any wake;
    bool asked = false;
    const std::stop_callback on_stop(stop, [&] {
        const std::lock_guard lock(mutex);
        asked = true;
        wake.notify_one();
    });
    {
        std::unique_lock lock(mutex);
        wake.wait(lock, end, [&] { return asked; });
    }
    if (!pause(end, std::chrono::milliseconds(options_.stop_grace_ms))) return;
    log(LogLevel::debug, fmt::format("a call is still waiting for NATS at '{}'; closing the connection", name_));
    shared_->closing = true;
    natsConnection_Close(connection_.get());
}

Link::~Link() {
    shared_->closing = true;
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

StreamInfo Link::stream_info(const std::string& stream, const char* subjects_filter) const {
    jsStreamInfo* made = nullptr;
    jsErrCode js_error{};
    jsOptions options;
    jsOptions_Init(&options);
    options.Stream.Info.SubjectsFilter = subjects_filter;
    const auto status = js_GetStreamInfo(&made, js(), stream.c_str(), &options, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return nullptr;
    check(status, fmt::format("read the state of stream '{}'", stream), js_error);
    return StreamInfo(made);
}

Msg Link::message(const std::string& stream, StreamSeq seq) const {
    natsMsg* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetMsg(&made, js(), stream.c_str(), seq.value, nullptr, &js_error);
    Msg msg(made);
    if (status == NATS_NOT_FOUND || js_error == JSNoMessageFoundErr || js_error == JSStreamNotFoundErr) return nullptr;
    check(status, fmt::format("read message {} of stream '{}'", seq.value, stream), js_error);
    return msg;
}

// Does not call the library: it may hold the connection's lock for seconds while it reconnects.
void Link::on_disconnected(natsConnection*, void* closure) noexcept {
    auto& shared = *static_cast<Shared*>(closure);
    ++shared.disconnects;
    shared.say(LogLevel::warning, fmt::format("lost the connection to NATS at '{}', reconnecting", shared.name));
}

void Link::on_reconnected(natsConnection*, void* closure) noexcept {
    const auto& shared = *static_cast<Shared*>(closure);
    shared.say(LogLevel::info, fmt::format("reconnected to NATS at '{}'", shared.name));
}

void Link::on_closed(natsConnection*, void* closure) noexcept { ++static_cast<Shared*>(closure)->disconnects; }

void Link::on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept {
    const auto& shared = *static_cast<Shared*>(closure);
    shared.say(LogLevel::debug, fmt::format("NATS at '{}': {}", shared.name, natsStatus_GetText(status)));
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
