// What a NATS account may use of JetStream.
#pragma once

#include "stream/nats/connection/handle.h"
#include "stream/nats/link.h"

namespace pgsluice::nats {

// A stop Error when JetStream is not enabled for the account, or no such domain answers.
AccountInfo require_jetstream(const Link& link);

}  // namespace pgsluice::nats
