#include "stream/nats/broker.h"

#include <algorithm>

#include "stream/format/headers.h"
#include "stream/nats/consumer.h"
#include "stream/nats/message.h"
#include "stream/nats/publisher.h"
#include "stream/nats/server_version.h"
#include "stream/nats/subject_publisher.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

std::unique_ptr<Broker> Broker::connect(const BrokerOptions& options, Log log, std::stop_token stop) {
    if (stop.stop_requested()) throw Interrupted();
    return std::make_unique<nats::NatsBroker>(options, std::move(log), std::move(stop));
}

namespace nats {

namespace {

bool is_marker(MessageKind kind) { return kind != MessageKind::copy && kind != MessageKind::changes; }

}  // namespace

NatsBroker::NatsBroker(const BrokerOptions& options, Log log, std::stop_token stop)
    : link_(std::make_shared<Link>(options, std::move(log), std::move(stop))) {
    check_jetstream();
}

void NatsBroker::check_jetstream() {
    jsAccountInfo* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetAccountInfo(&made, link_->js(), nullptr, &js_error);
    const AccountInfo info(made);
    if (status == NATS_NO_RESPONDERS || js_error == JSNotEnabledErr || js_error == JSNotEnabledForAccountErr) {
        throw stop_error(
            fmt::format("unable to use NATS at '{}': JetStream is not enabled for this account", link_->name()),
            "Start it with `nats-server -js`, or enable JetStream for the account in its configuration.");
    }
    check(status, fmt::format("ask NATS at '{}' about JetStream", link_->name()), js_error);
    account_bytes_ = info->Limits.MaxStore;
}

// A server before 2.10.11 stores a message, finds that the account is over its limit, and deletes the message again:
// that leaves holes in the stream, and smaller messages after it are stored. So the stream's own limit must be reached
// first.
void NatsBroker::check_account(const Names& names, const StreamConfig& config) const {
    const bool limited = account_bytes_ > 0 && (config.max_bytes <= 0 || config.max_bytes >= account_bytes_);
    if (!limited || !is_before(server_version(), {2, 10, 11})) return;
    throw stop_error(fmt::format("unable to use stream '{}': its NATS account may store {} bytes, and this nats-server "
                                 "loses messages when an account is full",
                                 names.stream, account_bytes_),
                     "Set --stream-max-bytes well below that limit, or use nats-server 2.10.11 or later.");
}

std::optional<StreamState> NatsBroker::stream_state(const std::string& stream) {
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
    if (info->Cluster != nullptr && info->Cluster->Leader != nullptr) state.leader = info->Cluster->Leader;
    return state;
}

void NatsBroker::ensure_stream(const Names& names, const StreamConfig& config) {
    check_account(names, config);
    const auto info = link_->stream_info(names.stream);
    if (!info) {
        make_bucket_first(names, config);
        add_stream(names.stream, {names.snapshot_subject.c_str(), names.changes_subject.c_str()}, config);
        return;
    }
    check_config(*info->Config, names);
    check_replicas(*info, config);
    apply_limits(*info->Config, config);
    apply_replicas("KV_" + names.bucket, config.replicas);
    apply_replicas(names.dead_letters, config.replicas);
}

// Whoever finds the stream must find a bucket that answers: for a moment after nats-server lists a new stream, it drops
// requests for its messages. If this fails, creating the stream reports why, since nats.c returns the error's number
// there; if that succeeds, the first put creates the bucket.
void NatsBroker::make_bucket_first(const Names& names, const StreamConfig& config) {
    try {
        bucket(names, config.replicas);
    } catch (const Error& error) {
        link_->log(LogLevel::debug, error.what());
    }
}

void NatsBroker::ensure_dead_letters(const Names& names) {
    const auto stream = link_->stream_info(names.stream);
    if (link_->stream_info(names.dead_letters)) return;
    StreamConfig config;
    if (stream) config.replicas = static_cast<int>(stream->Config->Replicas);
    add_stream(names.dead_letters, {names.dead_letter_subject.c_str()}, config);
}

void NatsBroker::add_stream(const std::string& stream, std::vector<const char*> subjects, const StreamConfig& config) {
    jsStreamConfig wanted;
    jsStreamConfig_Init(&wanted);
    wanted.Name = stream.c_str();
    wanted.Subjects = subjects.data();
    wanted.SubjectsLen = static_cast<int>(subjects.size());
    wanted.Storage = js_FileStorage;
    wanted.Discard = js_DiscardNew;
    wanted.Retention = js_LimitsPolicy;
    wanted.MaxBytes = config.max_bytes;
    wanted.Replicas = config.replicas;
    jsErrCode js_error{};
    const auto status = js_AddStream(nullptr, link_->js(), &wanted, nullptr, &js_error);
    const auto doing = fmt::format("create stream '{}'", stream);
    if (js_error == JSStreamSubjectOverlapErr) {
        throw stop_error(
            fmt::format("unable to {}: another stream already has subject '{}'", doing, subjects.front()),
            fmt::format("Find it with `nats stream ls --subject={}` and remove it, or choose another --group.",
                        subjects.front()));
    }
    check(status, doing, js_error);
}

void NatsBroker::check_config(const jsStreamConfig& config, const Names& names) const {
    const auto wrong = [&names](const std::string& what, const std::string& mend) {
        return stop_error(fmt::format("unable to use stream '{}': {}", names.stream, what), mend);
    };
    const auto edit = [&names](const std::string& option) {
        return fmt::format("Run `nats stream edit {} {}`.", names.stream, option);
    };
    if (config.Storage != js_FileStorage) {
        throw wrong("its storage is memory, so a restart of the server would lose it",
                    "Remove it with `pgsluice teardown` and start again.");
    }
    if (config.Retention != js_LimitsPolicy) {
        throw wrong("its retention policy is not limits, so reading would remove messages",
                    "Remove it with `pgsluice teardown` and start again.");
    }
    if (config.MaxAge != 0) throw wrong("it has a maximum age, so unread changes would expire", edit("--max-age=-1"));
    if (config.Discard != js_DiscardNew) {
        throw wrong("it discards old messages when full, so unread changes would be lost", edit("--discard=new"));
    }
    if (config.MaxMsgs > 0) throw wrong("it has a maximum number of messages", edit("--max-msgs=-1"));
    if (config.MaxMsgsPerSubject > 0) {
        throw wrong("it has a maximum number of messages per subject, so unread changes would be lost",
                    edit("--max-msgs-per-subject=-1"));
    }
    if (config.MaxMsgSize > 0) throw wrong("it has a maximum message size", edit("--max-msg-size=-1"));
    for (const auto& subject : {names.snapshot_subject, names.changes_subject}) {
        const bool taken = std::any_of(config.Subjects, config.Subjects + config.SubjectsLen,
                                       [&subject](const char* has) { return subject == has; });
        if (!taken) {
            throw wrong(fmt::format("subject '{}' is not among its subjects", subject),
                        edit(fmt::format("--subjects={},{}", names.snapshot_subject, names.changes_subject)));
        }
    }
}

// A server outside a cluster accepts any number of replicas when a stream is changed, but keeps one.
void NatsBroker::check_replicas(const jsStreamInfo& info, const StreamConfig& wanted) const {
    const auto* cluster = info.Cluster;
    const bool clustered = cluster != nullptr && cluster->Name != nullptr && *cluster->Name != '\0';
    if (wanted.replicas <= 1 || clustered) return;
    throw stop_error(fmt::format("unable to keep {} replicas of stream '{}': NATS at '{}' is a single server",
                                 wanted.replicas, info.Config->Name, link_->name()),
                     "Leave out --stream-replicas for this server; more than 1 needs a NATS cluster.");
}

// Applies the size and replicas given on the command line.
void NatsBroker::apply_limits(jsStreamConfig& current, const StreamConfig& wanted) {
    const auto unlimited = [](std::int64_t bytes) { return bytes <= 0 ? -1 : bytes; };
    if (unlimited(current.MaxBytes) == unlimited(wanted.max_bytes) && current.Replicas == wanted.replicas) return;
    link_->log(LogLevel::info, fmt::format("changing stream '{}': at most {} bytes, {} replicas", current.Name,
                                           unlimited(wanted.max_bytes), wanted.replicas));
    current.MaxBytes = wanted.max_bytes;
    current.Replicas = wanted.replicas;
    update_stream(current);
}

void NatsBroker::apply_replicas(const std::string& stream, int replicas) {
    const auto info = link_->stream_info(stream);
    if (!info || info->Config->Replicas == replicas) return;
    info->Config->Replicas = replicas;
    update_stream(*info->Config);
}

void NatsBroker::update_stream(jsStreamConfig& config) {
    jsErrCode js_error{};
    const auto status = js_UpdateStream(nullptr, link_->js(), &config, nullptr, &js_error);
    check(status, fmt::format("change stream '{}'", config.Name), js_error);
}

void NatsBroker::delete_stream(const std::string& stream) {
    jsErrCode js_error{};
    const auto status = js_DeleteStream(link_->js(), stream.c_str(), nullptr, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return;
    check(status, fmt::format("delete stream '{}'", stream), js_error);
}

std::optional<LastMessage> NatsBroker::message_at(const std::string& stream, StreamSeq seq) {
    const auto msg = link_->message(stream, seq);
    if (!msg) return std::nullopt;
    const auto headers = parse_headers(*msg, stream, seq);
    LastMessage found{seq, headers.meta, headers.copy, {}};
    if (!is_marker(found.meta.kind)) return found;
    for (std::uint32_t part = 1; part < headers.part.number; ++part) {
        const auto earlier = link_->message(stream, {seq.value - headers.part.number + part});
        if (!earlier) return std::nullopt;
        found.body += body_of(*earlier);
    }
    found.body += body_of(*msg);
    return found;
}

std::optional<StreamSeq> NatsBroker::last_complete(const std::string& stream, StreamSeq last, StreamSeq first) const {
    while (last >= first) {
        const auto msg = link_->message(stream, last);
        if (!msg) {
            throw stop_error(fmt::format("unable to read stream '{}': message {} is missing", stream, last.value),
                             recreate_group_hint);
        }
        const auto part = parse_headers(*msg, stream, last).part;
        if (part.last()) return last;
        last.value -= std::min<std::uint64_t>(last.value, part.number);
    }
    return std::nullopt;
}

std::optional<LastMessage> NatsBroker::last_message(const std::string& stream) {
    const auto state = stream_state(stream);
    if (!state || state->messages == 0) return std::nullopt;
    const auto complete = last_complete(stream, state->last_seq, state->first_seq);
    auto found = message_at(stream, complete.value_or(state->last_seq));
    if (!found) return std::nullopt;
    if (!complete) found->body.clear();
    found->seq = state->last_seq;
    return found;
}

void NatsBroker::trim(const std::string& stream, StreamSeq keep_from) {
    const auto state = stream_state(stream);
    if (!state || state->messages == 0 || keep_from <= state->first_seq) return;
    auto keep = last_complete(stream, state->last_seq, state->first_seq);
    if (!keep) return;
    const auto msg = link_->message(stream, *keep);
    if (!msg) return;
    keep->value -= parse_headers(*msg, stream, *keep).part.count - 1;
    keep = std::min(*keep, keep_from);
    if (*keep <= state->first_seq) return;
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = link_->options().request_timeout_ms;
    options.Stream.Purge.Sequence = keep->value;
    jsErrCode js_error{};
    const auto status = js_PurgeStream(link_->js(), stream.c_str(), &options, &js_error);
    check(status, fmt::format("trim stream '{}'", stream), js_error);
}

std::unique_ptr<Publisher> NatsBroker::publisher(const Names& names, StreamSeq last_seq,
                                                 const PublisherLimits& limits) {
    MessageMeta last;
    if (last_seq.value != 0) {
        const auto found = message_at(names.stream, last_seq);
        if (!found) {
            throw retry_error(
                fmt::format("unable to continue stream '{}': message {} does not exist", names.stream, last_seq.value));
        }
        last = found->meta;
    }
    return std::make_unique<NatsPublisher>(link_, names, last_seq, last, limits);
}

std::unique_ptr<Consumer> NatsBroker::consumer(const Names& names, StreamSeq from) {
    return std::make_unique<NatsConsumer>(link_, names, from);
}

std::unique_ptr<SubjectPublisher> NatsBroker::subject_publisher() {
    return std::make_unique<NatsSubjectPublisher>(link_);
}

StreamSeq NatsBroker::publish_one(const std::string& subject, std::string_view body,
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
    check(status, fmt::format("publish to subject '{}'", subject), js_error);
    return {ack->Sequence};
}

std::string NatsBroker::server_version() const { return ask_server_version(link_->connection()); }

std::uint64_t NatsBroker::max_payload() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, natsConnection_GetMaxPayload(link_->connection())));
}

}  // namespace nats
}  // namespace pgsluice
