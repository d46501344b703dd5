// Which of a stream's messages the group's replicator wrote, and which another program did.
//
// The replicator's own have its headers and its fence, which names the sequence before them. Each also says which own
// message it follows: the one just before it, or the one in Pgsluice-Follows, as the first message of each publisher
// does. What a publisher had under way when another replaced it follows a message of the other's run (RunId), and
// counts as another program's (FORMAT.md, "Messages of others").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/format/headers.h"
#include "stream/nats/connection/handle.h"
#include "stream/nats/link.h"

namespace pgsluice::nats {

// Why a message is not ours that is sealed, where we have no keys.
inline constexpr const char* sealed_reason = "it is sealed, and --stream-key-file is not given";

struct OwnMessage {
    ParsedHeaders headers;
    StreamSeq follows;      // the own message before it, or a part of one; 0: it is the first
    std::string_view body;  // as its encoding has it; lives as long as the message
};

// Nothing when another program wrote it, or changed it; `why` says how that shows.
// In a sealed group its body is opened in place: a message may be read once.
std::optional<OwnMessage> read_own(const Link& link, const std::string& stream, natsMsg& msg, StreamSeq seq,
                                   std::string& why);

// A stored one with its body put together; of a part without the last, the part's.
struct StoredOwn {
    StreamSeq seq;
    OwnMessage message;
    std::string body;
    std::string fault;  // why the body cannot be read, which is then empty
};
// Nothing when it does not exist or is another program's; `why` says which.
std::optional<StoredOwn> stored_own(const Link& link, const std::string& stream, StreamSeq seq,
                                    std::string* why = nullptr);

// The last complete one at or below `last` which can be read and continues what is before it; where all are parts, the
// last of these. Nothing when there is none. `passed` gets what was passed over, for a log. With `judge` headers, its
// body and its place are not looked at.
enum class Judge : std::uint8_t { headers, all };
std::optional<StoredOwn> last_own(const Link& link, const std::string& stream, StreamSeq last, std::string* passed,
                                  Judge judge = Judge::all);

// The headers of the own message that this one follows, if it is still stored.
std::optional<ParsedHeaders> headers_before(const Link& link, const std::string& stream, const OwnMessage& own);

// Where the stream begins for a reader: at its first message, or before it where the messages removed there were of
// other programs.
StreamSeq begin_of(const Link& link, const std::string& stream, StreamSeq first, StreamSeq last);

// Whether all messages that are missing between the first and the last were of other programs, or are after the
// replicator's last: its slot shows whether they were its own.
bool holes_are_foreign(const Link& link, const std::string& stream);

}  // namespace pgsluice::nats
