#include "stream/nats/publisher.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "stream/base/failpoint.h"
#include "stream/nats/message.h"
#include "stream/nats/replies.h"
#include "stream/payload.h"

namespace pgsluice::nats {

namespace {

constexpr const char* fence_header = "Nats-Expected-Last-Sequence";

// Why there is no room, and what to do: the stream's own limit clears as workers apply changes, other limits do not.
std::string full_text(const std::string& stream, const std::string& reason) {
    if (reason.starts_with("maximum bytes exceeded")) {
        return fmt::format("stream '{}' is full ({}); waiting until its workers have applied more and it is trimmed",
                           stream, reason);
    }
    return fmt::format(
        "NATS has no room for stream '{}' ({}): not the stream's own limit, but the storage of the account or the "
        "server "
        "(max_file_store), or its disk, is used up; waiting until the limit is raised or space is freed",
        stream, reason);
}

PublishReply::Kind kind_of_error(std::int64_t code) {
    switch (code) {
        case JSStreamWrongLastSequenceErr:
            return PublishReply::Kind::wrong_sequence;
        case JSStreamStoreFailedErr:
        case JSAccountResourcesExceededErr:
        case JSInsufficientResourcesErr:
        case JSStorageResourcesExceededErr:
            return PublishReply::Kind::full;
        default:
            return PublishReply::Kind::failed;
    }
}

// {"stream":"…","seq":7} or {"error":{"code":503,"err_code":10077,"description":"…"}}; both may hold more.
PublishReply parse_reply(std::string_view json) {
    thread_local simdjson::dom::parser parser;
    PublishReply reply;
    simdjson::dom::element root;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
        reply.text = "the acknowledgement is not JSON";
        return reply;
    }
    simdjson::dom::element failure;
    if (root["error"].get(failure) == simdjson::SUCCESS) {
        std::int64_t code = 0;
        std::string_view description;
        if (failure["err_code"].get(code) != simdjson::SUCCESS) code = 0;
        if (failure["description"].get(description) != simdjson::SUCCESS) description = "unknown error";
        reply.kind = kind_of_error(code);
        reply.text = fmt::format("{} ({})", description, code);
        return reply;
    }
    bool duplicate = false;
    if (root["duplicate"].get(duplicate) == simdjson::SUCCESS && duplicate) {
        reply.text = "the broker treated a message as a duplicate";
        return reply;
    }
    if (root["seq"].get(reply.seq.value) != simdjson::SUCCESS) {
        reply.text = "the acknowledgement has no sequence";
        return reply;
    }
    reply.kind = PublishReply::Kind::stored;
    return reply;
}

std::optional<Sealer> new_sealer(const Link& link, const std::string& stream, StreamSeq last_seq) {
    Seals& seals = link.seals();
    if (!seals.keyed()) return std::nullopt;
    const auto record = seals.record(link, stream);
    if (!record) throw not_sealed(stream);
    const auto* run = record->run_of({last_seq.value + 1});
    if (run == nullptr)
        throw retry_error(fmt::format("unable to continue stream '{}': it has grown meanwhile", stream));
    return Sealer(seals.keys().first(), run->id);
}

AckLimits ack_limits(const PublisherLimits& limits) {
    AckLimits of;
    of.max_in_flight_bytes = limits.max_in_flight_bytes;
    of.max_in_flight_messages = limits.max_in_flight_messages;
    of.ack_timeout = std::chrono::milliseconds(limits.ack_timeout_ms);
    return of;
}

}  // namespace

NatsPublisher::NatsPublisher(std::shared_ptr<Link> link, const Names& names, const PublisherStart& start,
                             const PublisherLimits& limits)
    : link_(std::move(link)),
      names_(names),
      last_(start.last),
      follows_(start.follows.value_or(start.last_seq)),
      disconnects_(link_->disconnects()),
      queue_(start.last_seq, ack_limits(limits)),
      inbox_(*link_),
      subscription_(subscribe_replies(*link_, inbox_.all_subjects())) {
    if (start.zstd_level != 0) encoder_.emplace(start.zstd_level);
    sealer_ = new_sealer(*link_, names_.stream, start.last_seq);
    run_ = sealer_ ? sealer_->header().salt.substr(0, run_digits) : run_text(new_run());
}

NatsPublisher::~NatsPublisher() = default;

void NatsPublisher::take_reply(Msg msg) {
    const auto index = inbox_.number_of(*msg);
    if (!index) return;
    PublishReply reply;
    if (natsMsg_IsNoResponders(msg.get())) {
        reply.text = "no stream accepts the message (the stream was deleted, or the cluster has no leader for it)";
    } else {
        reply = parse_reply(body_of(*msg));
    }
    queue_.reply(*index, reply, std::chrono::steady_clock::now());
    spent_.add(std::move(msg));
}

void NatsPublisher::take_replies() {
    while (Msg msg = next_reply(*subscription_, 0)) take_reply(std::move(msg));
}

void NatsPublisher::throw_broken(const std::string& reason) const {
    throw retry_error(fmt::format("unable to continue writing to stream '{}': {}", names_.stream, reason));
}

void NatsPublisher::say_full(const std::string& reason) {
    const auto now = std::chrono::steady_clock::now();
    full_at_ = now;
    if (full_said_ != AckQueue::Time{} && now - full_said_ < std::chrono::seconds(10)) return;
    full_said_ = now;
    link_->log(LogLevel::warning, full_text(names_.stream, reason));
}

// A stream that is trimmed bit by bit is full again at once: said when it has had room for a while.
void NatsPublisher::say_room() {
    if (full_said_ == AckQueue::Time{} || std::chrono::steady_clock::now() - full_at_ < std::chrono::seconds(2)) return;
    full_said_ = {};
    link_->log(LogLevel::info, fmt::format("stream '{}' has room again", names_.stream));
}

void NatsPublisher::pump() {
    link_->require_open();
    const bool disconnected = link_->disconnects() != disconnects_;
    if (link_->some_denied())
        link_->check_permitted(fmt::format("write to stream '{}'", names_.stream), "pgsluice." + names_.group + ".");
    take_replies();
    if (disconnected) queue_.break_off("the connection to NATS was lost");
    while (true) {
        const auto now = std::chrono::steady_clock::now();
        queue_.check_time(now);
        const auto next = queue_.take_next(now);
        if (!queue_.broken().empty()) throw_broken(queue_.broken());
        if (!queue_.full().empty()) {
            say_full(queue_.full());
        } else {
            say_room();
        }
        for (; first_ < queue_.first(); ++first_) {
            spent_.add(std::move(messages_.front()));
            messages_.pop_front();
        }
        if (!next) return;
        send(*next);
    }
}

void NatsPublisher::send(std::uint64_t index) {
    const auto status = natsConnection_PublishMsg(link_->connection(), messages_[index - first_].get());
    if (status != NATS_OK) queue_.break_off(last_error(status));
}

bool NatsPublisher::has_room() {
    pump();
    return queue_.has_room();
}

// Waits in short steps, because nothing wakes us for a disconnect or the next retry of a full stream.
template <typename Done>
bool NatsPublisher::wait_until(int timeout_ms, Done done) {
    constexpr std::int64_t step_ms = 50;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (true) {
        pump();
        if (done()) return true;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        if (Msg msg = next_reply(*subscription_, std::min<std::int64_t>(left, step_ms))) take_reply(std::move(msg));
    }
}

bool NatsPublisher::wait_for_room(int timeout_ms) {
    return wait_until(timeout_ms, [this] { return queue_.has_room(); });
}

bool NatsPublisher::await_acks(int timeout_ms) {
    return wait_until(timeout_ms, [this] { return queue_.first() == queue_.end(); });
}

std::string NatsPublisher::full() { return queue_.full(); }

std::optional<Lsn> NatsPublisher::confirmed() {
    take_replies();
    return queue_.confirmed();
}

std::uint64_t NatsPublisher::in_flight() {
    pump();
    return queue_.end() - queue_.first();
}

std::uint64_t NatsPublisher::in_flight_bytes() { return queue_.bytes(); }

void NatsPublisher::publish(const MessageMeta& meta, std::string_view body, const CopyHeader* copy) {
    const auto most =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, natsConnection_GetMaxPayload(link_->connection())));
    if (most < least_max_payload) {
        throw stop_error(
            fmt::format("unable to publish to NATS at '{}': its max_payload is {} bytes", link_->name(), most),
            max_payload_hint);
    }
    const auto piece = most - message_header_bytes - gcm_tag_bytes;
    MessagePart part;
    part.count = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (body.size() + piece - 1) / piece));
    MessageMeta unfinished = last_;
    unfinished.kind = meta.kind;
    for (; part.number < part.count; ++part.number) {
        add(unfinished, body.substr((part.number - 1) * piece, piece), copy, part);
    }
    add(meta, body.substr((part.number - 1) * piece), copy, part);
    last_ = meta;
    pump();
    PGSLUICE_FAILPOINT("after-publish");
}

void NatsPublisher::add(const MessageMeta& meta, std::string_view body, const CopyHeader* copy, MessagePart part) {
    const auto index = first_ + messages_.size();
    const bool snapshot = meta.kind == MessageKind::snapshot_begin || meta.kind == MessageKind::copy ||
                          meta.kind == MessageKind::snapshot_end;
    const std::string& subject = snapshot ? names_.snapshot_subject : names_.changes_subject;
    const auto frame = encoder_ && may_be_encoded(meta.kind) ? encoder_->compress(body) : std::nullopt;
    if (frame) body = *frame;
    auto headers =
        message_headers(meta, copy, part, std::exchange(follows_, {}), frame ? BodyEncoding::zstd : BodyEncoding::none);
    std::string sealed;
    if (sealer_) {
        sealed = sealer_->seal({names_.stream, subject, {queue_.expected_before(index).value + 1}}, headers, body);
        body = sealed;
        headers.emplace_back(SealHeader::name, to_text(sealer_->header()));
    }
    headers.emplace_back(run_header, run_);
    auto msg = make_message(subject, inbox_.reply_subject(index).c_str(), body);
    for (const auto& [name, value] : headers) {
        check(natsMsgHeader_Set(msg.get(), name, value.c_str()), "set a header");
    }
    const auto fence = std::to_string(queue_.expected_before(index).value);
    check(natsMsgHeader_Set(msg.get(), fence_header, fence.c_str()), "set a header");
    queue_.push(body.size() + message_header_bytes / 2, meta.safe_flush_lsn);
    messages_.push_back(std::move(msg));
}

}  // namespace pgsluice::nats
