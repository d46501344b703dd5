// When each table changed last: the KV key `last_changes` (FORMAT.md, "Keys"). A copy for people, written about once a
// second by the replicator.
#pragma once

#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/last_change.h"
#include "stream/names.h"

namespace pgsluice {

std::string encode(const LastChanges& changes);
// A stop Error when it is none.
LastChanges decode_last_changes(std::string_view json);

// Empty where nothing is kept, or nothing that can be read.
LastChanges find_last_changes(Broker& broker, const Names& names);

}  // namespace pgsluice
