// The groups of a NATS system.
#pragma once

#include <string>
#include <vector>

#include "stream/stream_catalog.h"

namespace pgsluice {

// Those that have a stream, by name.
std::vector<std::string> groups_in(const StreamCatalog& catalog);

}  // namespace pgsluice
