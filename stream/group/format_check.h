// Whether this program knows the format that a group's stream is written in (stream/format/version.h).
#pragma once

#include "stream/broker.h"

namespace pgsluice {

// Before anything is read or written: a stop Error when a later version wrote it. From KV, which the replicator writes
// at its start, before it publishes; without it, from the stream's first message.
void check_format(Broker& broker, const Names& names);

// For the replicator, before it publishes to a stream that is there: what the stream holds from now on.
void note_format(Broker& broker, const Names& names, const GroupInfo& info);

}  // namespace pgsluice
