#include "stream/format/part_assembly.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/base/test_setting.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

std::uint64_t most_body_bytes(MessageKind kind) noexcept {
    const int of_test = test_setting("PGSLUICE_MOST_BODY_BYTES", 0);
    if (of_test > 0) return static_cast<std::uint64_t>(of_test);
    return kind == MessageKind::copy ? 1ULL << 30 : (4ULL << 30) - 1;
}

std::optional<Message> PartAssembly::take(StreamSeq seq, const ParsedHeaders& headers, std::string_view body,
                                          MessageOwner owner) {
    const auto part = headers.part;
    if (part.count == 1) {
        drop();
        return Message{seq, seq, headers.meta, headers.copy, body, std::move(owner)};
    }
    if (part.number == 1) {
        drop();
        first_seq_ = seq;
        next_.count = part.count;
        body_ = std::make_shared<std::string>();
    }
    if (part != next_) {
        throw stop_error(
            fmt::format("unable to read message {}: it is part {} of {}, and the parts before it are missing",
                        seq.value, part.number, part.count),
            recreate_group_hint);
    }
    ++next_.number;
    add(headers.meta.kind, body);
    if (!part.last()) return std::nullopt;
    if (too_large_)
        throw stop_error(fmt::format("unable to read message {}: its {} parts are together larger than {} bytes, and "
                                     "no message is",
                                     seq.value, part.count, most_body_bytes(headers.meta.kind)),
                         foreign_hint_);
    Message message{first_seq_, seq, headers.meta, headers.copy, *body_, body_};
    drop();
    return message;
}

// What another program sends in any number of parts takes no more memory than a message does.
void PartAssembly::add(MessageKind kind, std::string_view body) {
    too_large_ = too_large_ || body_->size() + body.size() > most_body_bytes(kind);
    if (too_large_)
        body_ = std::make_shared<std::string>();
    else
        body_->append(body);
}

void PartAssembly::drop() noexcept {
    next_ = {};
    too_large_ = false;
    body_.reset();
}

}  // namespace pgsluice
