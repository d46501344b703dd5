// A message's headers (FORMAT.md, "Headers"), writer and reader. Knows no broker: the reader gets each header from
// `find`.
#pragma once

#include <cstddef>
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

inline constexpr const char* run_header = "Pgsluice-Run";
inline constexpr std::size_t run_digits = 16;
std::string run_text(RunId run);
RunId new_run();

// `follows`: the own message before it, in a run's first message, and where that is not the one just before. Without
// the run, which is not part of what a seal covers: there it is the beginning of the salt.
HeaderList message_headers(const MessageMeta& meta, const CopyHeader* copy, MessagePart part,
                           std::optional<StreamSeq> follows = {}, BodyEncoding encoding = BodyEncoding::none);

// `find` returns a header's text or null. A stop Error when a header is missing or malformed; `where` is for its
// message.
ParsedHeaders parse_headers(const std::function<const char*(const char* name)>& find, std::string_view where);

std::string_view to_string(MessageKind kind);
// Whether bodies of this kind may have an encoding. Markers are read by programs that know none.
constexpr bool may_be_encoded(MessageKind kind) noexcept {
    return kind == MessageKind::copy || kind == MessageKind::changes;
}

}  // namespace pgsluice
