// Reads all messages of a group's stream, and looks for hidden values in them.
#pragma once

#include <cstddef>
#include <stop_token>

#include "cmd/leaks/sightings.h"
#include "stream/broker.h"

namespace pgsluice {

// Rows are decoded and looked at by table and column; what else a message holds as the text that it is. Returns how
// many messages there were. A stop Error where there is no stream.
std::size_t scan_stream(Broker& broker, const Names& names, Sightings& sightings, const std::stop_token& stop);

}  // namespace pgsluice
