// What a repeated event is known by: the webhook's Idempotency-Key, the nats sink's Nats-Msg-Id.
#pragma once

#include <cstdint>
#include <string>

#include "stream/position.h"

namespace pgsluice {

struct EventKey {
    Position position;
    bool snapshot = false;   // of the initial copy, whose positions are counted apart
    std::uint32_t part = 0;  // of a change that makes several events: the table's number in a truncate of several
};

// "0/16B2D50:12", prefixed with "snapshot-" for a row of the initial copy, with ".1" appended for a second table.
inline std::string to_string(const EventKey& key) {
    std::string text = key.snapshot ? "snapshot-" : "";
    text += to_string(key.position);
    if (key.part > 0) text += "." + std::to_string(key.part);
    return text;
}

}  // namespace pgsluice
