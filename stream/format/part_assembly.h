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
    // An unfinished set is thrown away when another message or set begins. A stop Error when a part has no beginning.
    std::optional<Message> take(StreamSeq seq, const ParsedHeaders& headers, std::string_view body, MessageOwner owner);

    // Whether a set has begun and is not complete.
    [[nodiscard]] bool unfinished() const noexcept { return next_.number > 1; }

   private:
    void drop() noexcept;

    MessagePart next_;  // what continues the set; number 1: no set has begun
    StreamSeq first_seq_;
    std::shared_ptr<std::string> body_;
};

}  // namespace pgsluice
