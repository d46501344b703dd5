// Which source a group's stream belongs to, as its replicator recorded it when it created the stream.
#pragma once

#include <optional>

#include "stream/broker.h"

namespace pgsluice {

// From the stream's first message, or, when that was trimmed, from KV. Nothing when neither has it. The timeline is the
// newest that the group has read: after a promotion of the source only KV has it. So is the format.
std::optional<GroupInfo> find_group_info(Broker& broker, const Names& names, const std::optional<StreamState>& stream);

}  // namespace pgsluice
