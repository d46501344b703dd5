// The copies of a replicated stream.
#pragma once

#include <nats/nats.h>

#include <string>

namespace pgsluice::nats {

// StreamState::copies_away.
std::string copies_away(const jsStreamInfo& info);

}  // namespace pgsluice::nats
