// All flags, in tables by theme. Each row says name, kind, value's name, default, the commands that take it and those
// that need it, what it sets, and its help.
#pragma once

#include <span>

#include "cmd/cli/flag.h"

namespace pgsluice {

std::span<const Flag> link_flags();
std::span<const Flag> replicator_flags();
std::span<const Flag> worker_flags();
std::span<const Flag> postgres_flags();
std::span<const Flag> sink_flags();
std::span<const Flag> tool_flags();
std::span<const Flag> running_flags();

}  // namespace pgsluice
