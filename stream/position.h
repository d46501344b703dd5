// Where a change is: the idea that everything else rests on.
//
// Record LSNs repeat (all rows of a COPY share one), so a change is identified by the LSN of its transaction's commit
// record and its ordinal within the transaction. Ordinals count every insert, update, delete, truncate (once, however
// many tables) and transactional message from 1, before any filter of ours. A non-transactional message arrives
// outside Begin/Commit: its position is (its LSN, 0). pgoutput sends a committed transaction in the same order every
// time, so positions are stable over restarts.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"

namespace pgsluice {

struct Position {
    Lsn commit;                 // LSN of the commit record (pgoutput Begin's final_lsn)
    std::uint64_t ordinal = 0;  // within the transaction, from 1

    auto operator<=>(const Position&) const = default;
};

// "0/16B2D50:12".
std::string to_string(Position position);
std::optional<Position> parse_position(std::string_view text);

// A message's sequence in its JetStream stream, from 1.
struct StreamSeq {
    std::uint64_t value = 0;

    auto operator<=>(const StreamSeq&) const = default;
};

// How far a sink is: what a worker needs to continue exactly where it stopped.
struct Checkpoint {
    StreamSeq resume_seq;  // the first message that still holds (or will hold) an unapplied change
    Position position;     // the last change applied; whatever is at or below it in resume_seq's message is skipped

    auto operator<=>(const Checkpoint&) const = default;
};

}  // namespace pgsluice
