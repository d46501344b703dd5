// A replicator's heartbeat: a transactional logical message of the source's log, whose content is the group's name. It
// travels in a transaction of its own, so that its way takes as long as that of any other commit.
#pragma once

#include <string_view>

namespace pgsluice {

inline constexpr std::string_view heartbeat_prefix = "pgsluice.heartbeat";

// Of an empty message, not transactional, by which a command that waits for the log to move has it moved.
inline constexpr std::string_view log_moved_prefix = "pgsluice.compare";

}  // namespace pgsluice
