// Whose stream a group's is: what its replicator wrote down about the source when it made the stream.
#pragma once

#include <optional>

#include "stream/broker.h"

namespace pgsluice {

// From the stream's first message, or, when that was trimmed, from KV. Nothing when neither has it.
std::optional<GroupInfo> find_group_info(Broker& broker, const Names& names, const std::optional<StreamState>& stream);

}  // namespace pgsluice
