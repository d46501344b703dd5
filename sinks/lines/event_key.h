// What a repeated event is known by: the webhook's Idempotency-Key, the nats sink's Nats-Msg-Id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/change.h"
#include "stream/position.h"

namespace pgsluice {

struct EventKey {
    Position position;
    bool snapshot = false;   // of a snapshot, whose positions are counted apart
    std::uint32_t part = 0;  // of a change that makes several events: the table's number in a truncate of several
    // Of what every share of the rows sends for itself, a truncate, DDL, the begin of a copy: "2/4".
    std::string_view share{};
    // How often --on-rules-change reload has had rows delivered again: by other rules, the event is another.
    std::uint64_t reload = 0;
};

// An insert that is the second half of an update comes after its delete, which another share sends.
inline std::uint32_t first_part(const Change& change) {
    return change.op == Op::insert && change.old_kind != OldRow::none ? 1 : 0;
}
inline bool is_sent_by_every_share(const Change& change) {
    return change.op == Op::truncate || change.op == Op::message;
}

// "0/16B2D50:12", prefixed with "snapshot-" for a row of a snapshot, with ".1" appended for a second table, and
// "@2/4" where there are shares, and "~1" after the first reload.
inline std::string to_string(const EventKey& key) {
    std::string text = key.snapshot ? "snapshot-" : "";
    text += to_string(key.position);
    if (key.part > 0) text += "." + std::to_string(key.part);
    if (!key.share.empty()) text.append("@").append(key.share);
    if (key.reload > 0) text += "~" + std::to_string(key.reload);
    return text;
}

}  // namespace pgsluice
