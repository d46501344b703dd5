// Where a share begins that takes over from those of another set (2 shares become 4): at the least position of the old
// ones that had its rows, without handing on again what any of them had.
#pragma once

#include <string>
#include <vector>

#include "stream/position.h"
#include "stream/share/share.h"

namespace pgsluice {

// What one of the old shares had delivered of the rows that are in all of `of`: all that comes in messages before
// `from`, and from there on what is at or below `position`.
struct DeliveredPart {
    std::vector<Share> of;
    StreamSeq from;
    Position position;

    [[nodiscard]] bool covers(const RowHash& row) const;
    // Of a change at this position of the message, and of a row of a snapshot in it.
    [[nodiscard]] bool has(StreamSeq message, Position at) const { return message < from || at <= position; }

    bool operator==(const DeliveredPart&) const = default;
};

// Kept in the worker's entry in KV until it is beyond all of `parts`.
struct Handover {
    Checkpoint start;  // resume_seq 0: of some of its rows nothing was ever delivered
    std::uint64_t loading_epoch = 0;
    StreamSeq begin_seq;
    std::vector<DeliveredPart> parts;
    std::vector<std::string> before;  // the workers that it takes over from

    bool operator==(const Handover&) const = default;
};

// What one old worker remembers when it has ended.
struct OldShare {
    std::string worker;
    Share share;
    Checkpoint durable;
    std::uint64_t loading_epoch = 0;  // the snapshot that it was in the middle of, to be begun again
    StreamSeq begin_seq;
    std::vector<DeliveredPart> parts;  // of its own handover, as far as it was not beyond them
};

// What `next` begins with after `old`, shares of one set of which some may be missing.
Handover hand_over(const Share& next, const std::vector<OldShare>& old);

}  // namespace pgsluice
