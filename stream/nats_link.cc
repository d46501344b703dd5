#include "stream/nats_link.h"

#include <algorithm>
#include <vector>

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

std::string describe(const std::vector<std::string>& urls) {
    std::string names;
    for (const auto& url : urls) names += (names.empty() ? "" : ",") + without_password(url);
    return names;
}

}  // namespace

Options Link::make_options(std::shared_ptr<Shared>* closure) const {
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
    if (servers.empty()) throw usage_error("unable to connect to NATS: no URL given", "use --nats-url");
    set(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())), "the URL");
    if (!options_.credentials_file.empty()) {
        set(natsOptions_SetUserCredentialsFromFiles(made, options_.credentials_file.c_str(), nullptr),
            "the credentials file");
    }
    if (!options_.tls_ca_file.empty()) {
        set(natsOptions_SetSecure(made, true), "TLS");
        set(natsOptions_LoadCATrustedCertificates(made, options_.tls_ca_file.c_str()), "the TLS CA file");
    }
    set(natsOptions_SetName(made, "pgsluice"), "a name");
    set(natsOptions_SetTimeout(made, options_.request_timeout_ms), "a time-out");
    set(natsOptions_SetMaxReconnect(made, -1), "reconnects");
    // Without it a server that hangs blocks the publisher's caller in send() for as long as TCP endures it.
    constexpr std::int64_t write_deadline_ms = 2000;
    set(natsOptions_SetWriteDeadline(made, write_deadline_ms), "a write deadline");
    set(natsOptions_SetReconnectBufSize(made, 0), "a reconnect buffer");
    // Otherwise a thread of nats.c collects for about a millisecond what it sends: publish to read took 0.9 ms instead
    // of 0.15. Our messages are blocks; there is nothing to collect.
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

Link::Link(const BrokerOptions& options, Log log)
    : options_(options), name_(describe(split(options.url))), shared_(std::make_shared<Shared>()) {
    shared_->log = std::move(log);
    shared_->name = name_;
    // Freed by on_closed(), the last callback of a connection, or here when there was none.
    auto closure = std::make_unique<std::shared_ptr<Shared>>(shared_);
    const auto prepared = make_options(closure.get());
    natsConnection* made = nullptr;
    const auto status = natsConnection_Connect(&made, prepared.get());
    const auto doing = fmt::format("connect to NATS at '{}'", name_);
    if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
        throw stop_error(fmt::format("unable to {}: {}", doing, last_error(status)),
                         "give user:password@ or token@ in --nats-url, or a credentials file");
    }
    if (status != NATS_OK) {
        const auto failed = error(doing, status);
        if (failed.action() != Action::retry) throw failed;
        throw retry_error(failed.what(), "start it with `nats-server -js`, or name another with --nats-url");
    }
    connection_.reset(made);
    closure.release();  // NOLINT(bugprone-unused-return-value)
    jsOptions js_options;
    jsOptions_Init(&js_options);
    js_options.Wait = options_.request_timeout_ms;
    jsCtx* js = nullptr;
    check(natsConnection_JetStream(&js, made, &js_options), "use JetStream");
    js_.reset(js);
}

Link::~Link() {
    js_.reset();
    connection_.reset();
}

StreamInfo Link::stream_info(const std::string& stream) const {
    jsStreamInfo* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetStreamInfo(&made, js(), stream.c_str(), nullptr, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return nullptr;
    check(status, fmt::format("look at stream '{}'", stream), js_error);
    return StreamInfo(made);
}

void Link::on_disconnected(natsConnection* connection, void* closure) noexcept {
    if (natsConnection_IsClosed(connection)) return;  // we closed it ourselves
    const auto& shared = *static_cast<std::shared_ptr<Shared>*>(closure);
    ++shared->disconnects;
    shared->log(LogLevel::warning,
                fmt::format("lost the connection to NATS at '{}', trying to get it back", shared->name));
}

void Link::on_reconnected(natsConnection*, void* closure) noexcept {
    const auto& shared = *static_cast<std::shared_ptr<Shared>*>(closure);
    shared->log(LogLevel::info, fmt::format("connected to NATS at '{}' again", shared->name));
}

void Link::on_closed(natsConnection*, void* closure) noexcept {
    const std::unique_ptr<std::shared_ptr<Shared>> last(static_cast<std::shared_ptr<Shared>*>(closure));
    ++(*last)->disconnects;
}

void Link::on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept {
    const auto& shared = *static_cast<std::shared_ptr<Shared>*>(closure);
    shared->log(LogLevel::debug, fmt::format("NATS at '{}': {}", shared->name, natsStatus_GetText(status)));
}

// 100 ms, doubled up to 2 s. `attempts` counts the rounds over all servers.
int64_t Link::reconnect_delay(natsConnection*, int attempts, void*) noexcept {
    return std::min<int64_t>(2000, int64_t{100} << std::clamp(attempts - 1, 0, 5));
}

}  // namespace pgsluice::nats
