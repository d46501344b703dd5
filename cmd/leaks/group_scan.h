// Reads all that a group keeps in NATS, and looks for hidden values in it: the messages of its stream, its dead
// letters, the keys of its bucket.
#pragma once

#include <cstddef>
#include <stop_token>

#include "cmd/leaks/sightings.h"
#include "stream/broker.h"

namespace pgsluice {

struct GroupScan {
    std::size_t messages = 0;
    std::size_t dead_letters = 0;
    std::size_t keys = 0;
};

// Rows are decoded and looked at by table and column; what else there is as the text that it is. A stop Error where
// there is no stream.
GroupScan scan_group(Broker& broker, const Names& names, Sightings& sightings, const std::stop_token& stop);

}  // namespace pgsluice
