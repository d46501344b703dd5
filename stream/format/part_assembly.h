// Puts a message together from its parts (FORMAT.md, "Parts"). Knows no broker.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stream/format/headers.h"
#include "stream/message.h"

namespace pgsluice {

class PartAssembly {
   public:
    // Takes the stream's next message. Returns it, or the message its part completes; nothing while parts are missing.
    // An incomplete set is discarded when another message or set begins. A stop Error when the first parts are missing.
    std::optional<Message> take(StreamSeq seq, const ParsedHeaders& headers, std::string_view body, MessageOwner owner);

    // Whether a set is incomplete.
    [[nodiscard]] bool unfinished() const noexcept { return next_.number > 1; }

   private:
    void drop() noexcept;

    MessagePart next_;  // the part expected next; number 1: no set has begun
    StreamSeq first_seq_;
    std::shared_ptr<std::string> body_;
};

}  // namespace pgsluice
