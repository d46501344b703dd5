// What a replicator does when it starts, decided from what it finds.
//
// A stream's very first message is `group`, stored before the slot is created. So an empty stream next to an existing
// slot means that the broker lost the stream, and a stream that ends in `group` next to a slot means that a replicator
// was killed between creating the slot and publishing the next message.
//
//   stream ends in         slot         mode stream          mode copy-and-stream       mode copy
//   ---------------------  -----------  -------------------  -------------------------  -----------------------------
//   (never a message)      none         group, new slot      group, new slot, copy      group, copy
//   (never a message)      there        the broker lost the stream: stop; messages of other programs do not count
//   group                  none         new slot             new slot, copy             copy
//   group                  there        drop it, new slot    drop it, new slot, copy    drop it, copy
//   snapshot-begin, copy   any          snapshot unfinished:     drop it, new slot, copy    drop it, copy
//                                       stop
//   snapshot-end           none         --copy kept no slot: stop                       finished
//   snapshot-end           there        resume               resume                     finished
//   changes, progress      none         the slot is gone: stop                          group streams already: stop
//   changes, progress      there        resume               resume                     group streams already: stop
//
// Markers and rows of a copy of added tables (MessageMeta::added) lie among the changes and count as such.
//
// Before that, whatever the row: a slot that is not ours or in use; a stream emptied, with holes, or of
// another cluster or database, or of a timeline that is not the source's and does not lead to it (timeline.h): stop
// (retry while the slot is in use). To resume, also: the slot is not
// invalidated, the publication is there, the slot's confirmed LSN <= the last message's safe_flush_lsn (otherwise the
// broker lost data or the slot was re-created), and our last position is not above the WAL's end.
//
// --resnapshot: whatever the row, drop the slot, then group, new slot, copy (a progress marker alone in mode stream).
// Only a slot that is not ours or in use, and holes, still stop.
#pragma once

#include <optional>
#include <string>

#include "replicator/options.h"
#include "replicator/source/slot/slot.h"
#include "sql/lsn.h"
#include "sql/replication.h"
#include "sql/timeline_history.h"
#include "stream/broker.h"
#include "stream/message.h"

namespace pgsluice {

struct StartFacts {
    ReplicatorMode mode = ReplicatorMode::stream;
    bool resnapshot = false;
    Names names;

    bool publication_exists = false;
    std::optional<SlotState> slot;
    std::optional<StreamState> stream;  // nothing: there is no such stream
    bool holes_are_foreign = false;     // what is missing in the stream was not the replicator's
    std::optional<LastMessage> last;    // of the stream; nothing when it holds none of the replicator's
    std::optional<GroupInfo> group;     // as the stream or KV remembers it; nothing when neither does
    sql::SystemIdentity source;
    sql::TimelineHistory history;  // of the source's timeline; asked for only when it is not the group's
    Lsn wal_end;
    bool in_recovery = false;  // it is a standby
};

struct StartDecision {
    enum class Then : std::uint8_t {
        new_slot,  // and stream from its consistent point
        copy,      // under a new slot's snapshot (a temporary one in mode copy), then stream (not in mode copy)
        resume,    // from the last message
        finished,  // the copy is complete
    };
    bool drop_slot = false;
    bool write_group = false;
    Then then = Then::resume;

    bool operator==(const StartDecision&) const = default;
};

// Whether messages are missing between the first and the last.
bool has_holes(const StreamState& stream);

// What the broker has of the group: stream, holes_are_foreign, last, group.
void find_stream_facts(StartFacts& facts, Broker& broker);

// "... to copy group 'shop' again, or use another --group.": the way out where it cannot continue.
std::string start_over_hint(const StartFacts& facts);

// Throws the Error that says why it cannot continue by itself, with the way out as its hint.
StartDecision decide_replicator_start(const StartFacts& facts);

// Whether decide_replicator_start() drops the slot that is there, or stops over what the stream holds. When the stream
// is replicated that may come from a leader that has not applied all yet, so it is worth another look; --resnapshot
// drops the slot whatever the stream holds.
bool depends_on_the_end(const StartFacts& facts);

}  // namespace pgsluice
