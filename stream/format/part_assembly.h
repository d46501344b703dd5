// Puts a message together from its parts (FORMAT.md, "Parts"). Knows no broker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "stream/format/headers.h"
#include "stream/message.h"

namespace pgsluice {

// No body is larger. Of a copy it holds at least one row, and PostgreSQL sends none of 1 GiB or more. Any other is
// JSON, of which no reader takes more than 4 GiB.
std::uint64_t most_body_bytes(MessageKind kind) noexcept;

class PartAssembly {
   public:
    // `foreign_hint`: what to do about a message that another program wrote.
    explicit PartAssembly(std::string foreign_hint = {}) : foreign_hint_(std::move(foreign_hint)) {}

    // Takes the stream's next message. Returns it, or the message its part completes; nothing while parts are missing.
    // An incomplete set is discarded when another message or set begins, and its bytes as soon as they are more than a
    // body can be. A stop Error when the first parts are missing, or when such a set is complete.
    std::optional<Message> take(StreamSeq seq, const ParsedHeaders& headers, std::string_view body, MessageOwner owner);

    // Whether a set is incomplete.
    [[nodiscard]] bool unfinished() const noexcept { return next_.number > 1; }
    // Whether that set is larger than a body can be.
    [[nodiscard]] bool too_large() const noexcept { return too_large_; }

   private:
    void add(MessageKind kind, std::string_view body);
    void drop() noexcept;

    std::string foreign_hint_;
    MessagePart next_;  // the part expected next; number 1: no set has begun
    StreamSeq first_seq_;
    std::shared_ptr<std::string> body_;
    bool too_large_ = false;
};

}  // namespace pgsluice
