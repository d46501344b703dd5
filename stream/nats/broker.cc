#include "stream/broker.h"

#include <algorithm>
#include <chrono>

#include "stream/format/version.h"
#include "stream/nats/account.h"
#include "stream/nats/bucket_cache.h"
#include "stream/nats/consumer.h"
#include "stream/nats/copies.h"
#include "stream/nats/link.h"
#include "stream/nats/message.h"
#include "stream/nats/own_message.h"
#include "stream/nats/publisher.h"
#include "stream/nats/server_version.h"
#include "stream/nats/stream_setup.h"

namespace pgsluice {

using namespace nats;

std::unique_ptr<Broker> Broker::connect(const BrokerOptions& options, Log log, std::stop_token stop) {
    if (stop.stop_requested()) throw Interrupted();
    return std::unique_ptr<Broker>(new Broker(options, std::move(log), std::move(stop)));
}

namespace {

bool is_marker(MessageKind kind) { return kind != MessageKind::copy && kind != MessageKind::changes; }

LastMessage last_message_of(const StoredOwn& own) {
    const auto& headers = own.message.headers;
    return {own.seq, headers.meta, headers.copy, is_marker(headers.meta.kind) ? own.body : std::string()};
}

}  // namespace

std::optional<double> oldest_age(const StreamState& state) {
    if (state.oldest_ns == 0) return std::nullopt;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - state.oldest_ns;
    return std::max(0.0, static_cast<double>(age) / 1e9);
}

Broker::Broker(const BrokerOptions& options, Log log, std::stop_token stop)
    : link_(std::make_shared<Link>(options, std::move(log), std::move(stop))),
      seals_(link_->seals()),
      buckets_(std::make_unique<BucketCache>(link_)) {
    check_jetstream();
}

Broker::~Broker() = default;

void Broker::check_jetstream() { account_bytes_ = require_jetstream(*link_)->Limits.MaxStore; }

std::optional<StreamState> Broker::stream_state(const std::string& stream) {
    const auto info = link_->stream_info(stream);
    if (!info) return std::nullopt;
    StreamState state;
    state.last_seq = {info->State.LastSeq};
    state.messages = info->State.Msgs;
    state.first_seq = {state.messages == 0 ? info->State.LastSeq + 1 : info->State.FirstSeq};
    state.bytes = info->State.Bytes;
    state.max_bytes = info->Config->MaxBytes;
    state.max_age_ns = info->Config->MaxAge;
    state.limits_messages = info->Config->MaxMsgs > 0 || info->Config->MaxMsgsPerSubject > 0;
    state.discard_new = info->Config->Discard == js_DiscardNew;
    state.file_storage = info->Config->Storage == js_FileStorage;
    state.replicas = static_cast<int>(info->Config->Replicas);
    state.created_ns = info->Created;
    if (state.messages > 0) state.oldest_ns = info->State.FirstTime;
    if (info->Cluster != nullptr && info->Cluster->Leader != nullptr) state.leader = info->Cluster->Leader;
    state.copies_away = copies_away(*info);
    return state;
}

void Broker::ensure_stream(const Names& names, const StreamConfig& config) {
    check_account(*link_, account_bytes_, names, config);
    const auto info = link_->stream_info(names.stream);
    if (!info) {
        buckets_->try_to_create(names, config.replicas);
        add_stream(*link_, names.stream, {names.snapshot_subject.c_str(), names.changes_subject.c_str()}, config);
        return;
    }
    check_config(*info->Config, names);
    const bool clustered = info->Cluster != nullptr && info->Cluster->Name != nullptr && *info->Cluster->Name != '\0';
    check_replicas(*link_, names.stream, clustered, config);
    apply_limits(*link_, *info->Config, config);
    apply_config(*link_, "KV_" + names.bucket, config.replicas);
    apply_config(*link_, names.dead_letters, config.replicas);
}

void Broker::ensure_dead_letters(const Names& names) {
    const auto stream = link_->stream_info(names.stream);
    if (link_->stream_info(names.dead_letters)) return;
    StreamConfig config;
    if (stream) config.replicas = static_cast<int>(stream->Config->Replicas);
    add_stream(*link_, names.dead_letters, {names.dead_letter_subject.c_str()}, config);
}

void Broker::delete_stream(const std::string& stream) {
    jsErrCode js_error{};
    const auto status = js_DeleteStream(link_->js(), stream.c_str(), nullptr, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return;
    link_->check(status, fmt::format("delete stream '{}'", stream), "STREAM.DELETE." + stream, js_error);
}

std::optional<LastMessage> Broker::message_at(const std::string& stream, StreamSeq seq) {
    const auto own = stored_own(*link_, stream, seq);
    return own ? std::optional(last_message_of(*own)) : std::nullopt;
}

std::optional<LastMessage> Broker::message_at_or_before(const std::string& stream, StreamSeq seq) {
    const auto state = stream_state(stream);
    const StreamSeq first = state ? state->first_seq : StreamSeq{1};
    for (; seq >= first && seq.value > 0; --seq.value)
        if (auto found = message_at(stream, seq)) return found;
    return std::nullopt;
}

StreamSeq Broker::begin_of(const std::string& stream, const StreamState& state) {
    return nats::begin_of(*link_, stream, state.first_seq, state.last_seq);
}

bool Broker::holes_are_foreign(const std::string& stream) { return nats::holes_are_foreign(*link_, stream); }

std::optional<LastMessage> Broker::last_message(const std::string& stream) {
    const auto state = stream_state(stream);
    if (!state || state->messages == 0) return std::nullopt;
    const auto own = last_own(*link_, stream, state->last_seq, nullptr);
    if (!own) return std::nullopt;
    auto found = last_message_of(*own);
    if (!own->message.headers.part.last()) found.body.clear();
    found.seq = state->last_seq;
    return found;
}

void Broker::trim(const std::string& stream, StreamSeq keep_from) {
    const auto state = stream_state(stream);
    if (!state || state->messages == 0 || keep_from <= state->first_seq) return;
    const auto own = last_own(*link_, stream, state->last_seq, nullptr, Judge::headers);
    if (!own || !own->message.headers.part.last()) return;
    const StreamSeq keep = std::min(StreamSeq{own->seq.value - own->message.headers.part.count + 1}, keep_from);
    if (keep <= state->first_seq) return;
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = link_->options().request_timeout_ms;
    options.Stream.Purge.Sequence = keep.value;
    jsErrCode js_error{};
    const auto status = js_PurgeStream(link_->js(), stream.c_str(), &options, &js_error);
    link_->check(status, fmt::format("trim stream '{}'", stream), "STREAM.PURGE." + stream, js_error);
}

std::unique_ptr<Publisher> Broker::publisher(const Names& names, StreamSeq last_seq, const PublisherLimits& limits,
                                             int zstd_level) {
    PublisherStart start{last_seq, {}, {}, zstd_level};
    if (last_seq.value != 0) {
        std::string passed;
        const auto own = last_own(*link_, names.stream, last_seq, &passed);
        if (own) start.last = own->message.headers.meta;
        if (!passed.empty() || (seals_.keyed() && !own))
            start.follows = own ? own->seq : StreamSeq{stream_state(names.stream).value().first_seq.value - 1};
        if (!passed.empty()) {
            link_->log(LogLevel::warning, fmt::format("stream '{}' holds what this group's replicator has not written; "
                                                      "continuing after it ({})",
                                                      names.stream, passed));
        }
    }
    return std::make_unique<NatsPublisher>(link_, names, start, limits);
}

std::unique_ptr<Consumer> Broker::consumer(const Names& names, StreamSeq from) {
    return std::make_unique<NatsConsumer>(link_, names, from, [this, names] {
        if (const auto info = kv_get(names, group_info_key)) require_known_format(names.group, info->text);
    });
}

std::unique_ptr<SubjectPublisher> Broker::subject_publisher() { return std::make_unique<SubjectPublisher>(link_); }

StreamSeq Broker::publish_one(const std::string& subject, std::string_view body,
                              const std::vector<std::pair<std::string, std::string>>& headers) {
    const auto msg = make_message(subject, nullptr, body);
    for (const auto& [name, value] : headers) {
        check(natsMsgHeader_Set(msg.get(), name.c_str(), value.c_str()), "set a header");
    }
    jsPubAck* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_PublishMsg(&made, link_->js(), msg.get(), nullptr, &js_error);
    const PubAck ack(made);
    if (status == NATS_NO_RESPONDERS) {
        throw retry_error(fmt::format("unable to publish to subject '{}': no stream has it", subject),
                          "Create one with `nats stream add`.");
    }
    link_->check(status, fmt::format("publish to subject '{}'", subject), subject, js_error);
    return {ack->Sequence};
}

bool Broker::connected() const {
    link_->require_open();
    return link_->connected();
}

std::string Broker::server_version() const { return ask_server_version(link_->connection()); }

std::uint64_t Broker::max_payload() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, natsConnection_GetMaxPayload(link_->connection())));
}

}  // namespace pgsluice
