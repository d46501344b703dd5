#include "stream/nats/own_message.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/format/body_check.h"
#include "stream/format/body_encoding.h"
#include "stream/format/part_assembly.h"
#include "stream/nats/message.h"

namespace pgsluice::nats {

namespace {

// Puts a message's body together. Once something of it cannot be read, the rest is not looked at.
class JoinedBody {
   public:
    explicit JoinedBody(MessageKind kind) : most_(most_body_bytes(kind)) {}

    // False when all is more than a message is.
    bool add(const OwnMessage& part, std::string& why_not) {
        if (!fault_.empty()) return true;
        const auto plain = decoder_.decode(part.headers.encoding, part.body, fault_);
        if (!plain) return true;
        if (!body_.empty() && body_.size() + plain->text.size() > most_) {
            why_not = fmt::format("its parts are together larger than {} bytes", most_);
            return false;
        }
        body_ += plain->text;
        return true;
    }
    void into(StoredOwn& own) {
        own.fault = std::move(fault_);
        if (own.fault.empty()) own.body = std::move(body_);
    }

   private:
    std::uint64_t most_;
    BodyDecoder decoder_;
    std::string body_;
    std::string fault_;
};

// Adds the parts before it, of one message. False when one is missing, or they are more than a message is.
bool add_earlier_parts(const Link& link, const std::string& stream, StreamSeq seq, const OwnMessage& last,
                       JoinedBody& body, std::string& why_not) {
    const MessagePart part = last.headers.part;
    for (std::uint32_t number = 1; number < part.number; ++number) {
        std::string why;
        const StreamSeq at{seq.value - part.number + number};
        const auto msg = link.message(stream, at);
        const auto own = msg ? read_own(link, stream, *msg, at, why) : std::nullopt;
        if (!own || own->headers.part != MessagePart{number, part.count}) {
            why_not = "parts of it are missing";
            return false;
        }
        if (!body.add(*own, why_not)) return false;
    }
    return true;
}

struct Found {
    std::optional<StoredOwn> own;
    std::string why_not;
};

Found find_own(const Link& link, const std::string& stream, StreamSeq seq) {
    Found found;
    const auto msg = link.message(stream, seq);
    if (!msg) {
        found.why_not = "it was removed";
        return found;
    }
    auto own = read_own(link, stream, *msg, seq, found.why_not);
    if (!own) return found;
    JoinedBody body(own->headers.meta.kind);
    if (own->headers.part.last() && !add_earlier_parts(link, stream, seq, *own, body, found.why_not)) return found;
    if (!body.add(*own, found.why_not)) return found;
    own->body = {};
    found.own = StoredOwn{seq, *own, {}, {}};
    body.into(*found.own);
    return found;
}

// A publisher has several messages on the way, each fenced by the place it expects. Where another program's message, or
// one of the publisher that replaced it, took the place of one, those after it may have been stored all the same. So
// far back as a publisher can have been ahead: by its limits, and by the time after which it gives up. What a run's
// first message follows was there before it.
std::string fault_before(const Link& link, const std::string& stream, const StoredOwn& own) {
    const PublisherLimits limits;
    const std::int64_t longest_ns = 4'000'000LL * limits.ack_timeout_ms;
    std::uint64_t bytes = 0;
    std::int64_t last_ns = 0;
    StreamSeq at = own.seq;
    OwnMessage after = own.message;
    for (std::uint64_t count = 0; count < limits.max_in_flight_messages && bytes < limits.max_in_flight_bytes;
         ++count) {
        const StreamSeq before = after.follows;
        const auto msg = before.value == 0 ? nullptr : link.message(stream, before);
        if (!msg) return {};  // it is the first, or those before were removed
        std::string why;
        const auto found = read_own(link, stream, *msg, before, why);
        if (!found) return fmt::format("it continues message {}, which the replicator did not write", before.value);
        why = fault_after(found->headers, after.headers);
        if (!why.empty()) return at == own.seq ? why : fmt::format("it continues message {}: {}", at.value, why);
        if (after.headers.run != 0 && after.headers.follows) return {};
        if (count == 0) last_ns = natsMsg_GetTime(msg.get());
        if (last_ns - natsMsg_GetTime(msg.get()) > longest_ns) return {};
        bytes += found->body.size();
        at = before;
        after = *found;
    }
    return {};
}

std::string fault_of(const Link& link, const std::string& stream, const StoredOwn& own) {
    if (std::string fault = fault_before(link, stream, own); !fault.empty()) return fault;
    if (!link.options().check_bodies) return {};
    if (!own.fault.empty()) return own.fault;
    return body_fault(own.message.headers.meta, own.message.headers.copy, own.body);
}

// What was passed over, from the last to the first.
class Passed {
   public:
    explicit Passed(std::string* text) : text_(text) {}

    void add(StreamSeq seq, std::string why) {
        if (count_++ == 0) last_ = seq;
        first_ = seq;
        why_ = std::move(why);
    }
    void finish() const {
        if (text_ == nullptr || count_ == 0) return;
        *text_ = count_ == 1 ? fmt::format("message {}: {}", first_.value, why_)
                             : fmt::format("messages {} to {}; the first: {}", first_.value, last_.value, why_);
    }

   private:
    std::string* text_;
    std::uint64_t count_ = 0;
    StreamSeq first_;
    StreamSeq last_;
    std::string why_;
};

struct Range {
    StreamSeq first;
    StreamSeq last;
};

// The first own message in it; nothing when it has none.
std::optional<StreamSeq> follows_of_first_own(const Link& link, const std::string& stream, Range range) {
    std::string why;
    for (StreamSeq seq = range.first; seq <= range.last; ++seq.value) {
        const auto msg = link.message(stream, seq);
        if (!msg) continue;
        if (const auto own = read_own(link, stream, *msg, seq, why)) return own->follows;
    }
    return std::nullopt;
}

// Before a stream was sealed nothing counts.
StreamSeq first_readable(const Link& link, const std::string& stream, StreamSeq first) {
    if (!link.seals().keyed()) return first;
    const auto record = link.seals().record(link, stream);
    return record ? std::max(first, record->runs.front().from) : StreamSeq{UINT64_MAX};
}

}  // namespace

std::optional<ParsedHeaders> headers_before(const Link& link, const std::string& stream, const OwnMessage& own) {
    const auto msg = own.follows.value == 0 ? nullptr : link.message(stream, own.follows);
    std::string why;
    const auto found = msg ? read_own(link, stream, *msg, own.follows, why) : std::nullopt;
    return found ? std::optional(found->headers) : std::nullopt;
}

std::optional<OwnMessage> read_own(const Link& link, const std::string& stream, natsMsg& msg, StreamSeq seq,
                                   std::string& why) {
    const auto find = [&msg](const char* name) {
        const char* text = nullptr;
        return natsMsgHeader_Get(&msg, name, &text) == NATS_OK ? text : nullptr;
    };
    OwnMessage own;
    try {
        own.headers = parse_headers(find, "it");
    } catch (const Error& error) {
        why = error.what();
        return std::nullopt;
    }
    const StreamSeq before{seq.value - 1};
    if (own.headers.fence != before) {
        why = "its header 'Nats-Expected-Last-Sequence' is missing or not the sequence before it";
        return std::nullopt;
    }
    own.follows = own.headers.follows.value_or(before);
    if (own.follows > before) {
        why = "its header 'Pgsluice-Follows' names a later message";
        return std::nullopt;
    }
    if (!link.seals().keyed()) {
        const char* seal = find(SealHeader::name);
        if (seal != nullptr) why = sealed_reason;
        own.body = body_of(msg);
        return seal == nullptr ? std::optional(own) : std::nullopt;
    }
    const auto body = link.seals().open(link, stream, msg, seq, own.headers, why);
    if (!body) return std::nullopt;
    own.body = *body;
    return own;
}

std::optional<StoredOwn> stored_own(const Link& link, const std::string& stream, StreamSeq seq, std::string* why) {
    auto found = find_own(link, stream, seq);
    if (why != nullptr) *why = std::move(found.why_not);
    return std::move(found.own);
}

std::optional<StoredOwn> last_own(const Link& link, const std::string& stream, StreamSeq last, std::string* passed,
                                  Judge judge) {
    const auto info = link.stream_info(stream);
    if (!info || info->State.LastSeq < last.value)
        throw retry_error(fmt::format("unable to continue stream '{}': message {} does not exist", stream, last.value));
    const auto first = first_readable(link, stream, StreamSeq{std::max<std::uint64_t>(1, info->State.FirstSeq)});
    Passed over(passed);
    std::optional<StoredOwn> part;
    StreamSeq seq = last;
    while (seq >= first) {
        auto found = find_own(link, stream, seq);
        std::uint64_t step = 1;
        if (found.own) {
            const auto of = found.own->message.headers.part;
            found.why_not = of.last() && judge == Judge::all ? fault_of(link, stream, *found.own) : "";
            step = std::min<std::uint64_t>(seq.value, of.number);
            if (found.why_not.empty() && (of.last() || !part)) {
                if (!part) over.finish();
                if (of.last()) return found.own;
                part = std::move(found.own);
            }
        }
        if (!found.why_not.empty() && !part) over.add(seq, std::move(found.why_not));
        seq.value -= step;
    }
    if (!part) over.finish();
    return part;
}

StreamSeq begin_of(const Link& link, const std::string& stream, StreamSeq first, StreamSeq last) {
    if (first.value <= 1 || first > last) return first;
    const auto follows = follows_of_first_own(link, stream, {first, last});
    return follows ? std::min(first, StreamSeq{follows->value + 1}) : first;
}

bool holes_are_foreign(const Link& link, const std::string& stream) {
    const auto info = link.stream_info_with_deleted(stream);
    if (!info) return true;
    const std::span deleted(info->State.Deleted, static_cast<std::size_t>(info->State.DeletedLen));
    std::optional<std::uint64_t> begin;  // of what is missing and not explained yet
    for (std::size_t i = 0; i < deleted.size(); ++i) {
        if (!begin) begin = deleted[i];
        const std::uint64_t end = i + 1 < deleted.size() ? deleted[i + 1] - 1 : info->State.LastSeq;
        const auto follows = follows_of_first_own(link, stream, {{deleted[i] + 1}, {end}});
        if (follows && follows->value >= *begin) return false;
        if (follows) begin.reset();
    }
    return true;
}

}  // namespace pgsluice::nats
