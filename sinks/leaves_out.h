// What a sink does with a change that makes several events, of which some are void when a dead letter is replayed: a
// TRUNCATE of several tables, after one of them was copied again.
#pragma once

#include <cstdint>
#include <set>

namespace pgsluice {

class LeavesOut {
   public:
    virtual ~LeavesOut() = default;

    // Of the changes that follow, until it is called again: events by their place (EventKey::part). The others keep
    // their keys.
    virtual void leave_out(std::set<std::uint32_t> parts) = 0;
};

}  // namespace pgsluice
