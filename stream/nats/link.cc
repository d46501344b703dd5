#include "stream/nats/link.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "stream/base/pause.h"
#include "stream/nats/connection/shared_wires.h"

namespace pgsluice::nats {

namespace {

// Of a connection that others use, too: so long what is under way may take before it is cut off, with theirs.
constexpr int least_shared_grace_ms = 500;

std::shared_ptr<Wire> wire_for(const BrokerOptions& options, Log log, const std::stop_token& stop) {
    return options.shares ? options.beside->take(options, stop) : std::make_shared<Wire>(options, std::move(log), stop);
}

}  // namespace

Link::Link(const BrokerOptions& options, Log log, std::stop_token stop)
    : options_(options),
      seals_(std::make_unique<Seals>(options.stream_key_file)),
      wire_(wire_for(options, std::move(log), stop)) {
    if (options_.shares) options_.stop_grace_ms = std::max(options_.stop_grace_ms, least_shared_grace_ms);
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
        wire_->say(LogLevel::warning, fmt::format("a call that waits for NATS may hang: {}", error.what()));
    }
}

void Link::close_after_grace(const std::stop_token& end) {
    if (!pause(end, std::chrono::milliseconds(options_.stop_grace_ms))) return;
    log(LogLevel::debug, fmt::format("a call is still waiting for NATS at '{}'; closing the connection", name()));
    wire_->close();
}

Link::~Link() {
    on_stop_.reset();  // waits for the callback
    closer_ = {};
}

void Retire::operator()(natsSubscription* subscription) const noexcept { link->retire(subscription); }

// A call's time, and some for the words to arrive.
void Link::check_permitted(std::string_view doing, std::string_view part) const {
    if (!wire_->denials().any()) return;
    const auto lately = std::chrono::milliseconds(options_.request_timeout_ms + 1000);
    const auto denial = wire_->denials().find(part, std::chrono::steady_clock::now() - lately);
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

}  // namespace pgsluice::nats
