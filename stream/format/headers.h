// A message's headers (FORMAT.md, "Headers"), writer and reader. Knows no broker: the reader gets each header from
// `find`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/message.h"

namespace pgsluice {

using HeaderList = std::vector<std::pair<const char*, std::string>>;

// Part `number` of `count`, from 1.
struct MessagePart {
    std::uint32_t number = 1;
    std::uint32_t count = 1;

    [[nodiscard]] bool last() const noexcept { return number == count; }
    bool operator==(const MessagePart&) const = default;
};

// `follows`: the own message before it, where that is not the one just before.
HeaderList message_headers(const MessageMeta& meta, const CopyHeader* copy, MessagePart part,
                           std::optional<StreamSeq> follows = {});

struct ParsedHeaders {
    MessageMeta meta;
    CopyHeader copy;  // kind copy only
    MessagePart part;
    std::optional<StreamSeq> follows;  // where it is not the message just before
    std::optional<StreamSeq> fence;    // the broker's: the sequence before it
};

// `find` returns a header's text or null. A stop Error when a header is missing or malformed; `where` is for its
// message.
ParsedHeaders parse_headers(const std::function<const char*(const char* name)>& find, std::string_view where);

std::string_view to_string(MessageKind kind);

}  // namespace pgsluice
