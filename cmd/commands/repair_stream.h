// Finds in a group's stream what its replicator did not write, or cannot have written.
#pragma once

#include <vector>

#include "cmd/commands/repair.h"

namespace pgsluice {

// Messages of other programs, and messages with the replicator's headers whose body is garbled or out of place. These
// may be removed where the replicator has not continued after them; otherwise `remove` is empty and `what` says so.
std::vector<Foreign> foreign_messages(Broker& broker, const Names& names, const std::stop_token& stop);

}  // namespace pgsluice
