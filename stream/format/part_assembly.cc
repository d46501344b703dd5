#include "stream/format/part_assembly.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

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
    body_->append(body);
    ++next_.number;
    if (!part.last()) return std::nullopt;
    Message message{first_seq_, seq, headers.meta, headers.copy, *body_, body_};
    drop();
    return message;
}

void PartAssembly::drop() noexcept {
    next_ = {};
    body_.reset();
}

}  // namespace pgsluice
