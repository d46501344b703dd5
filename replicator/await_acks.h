// Waiting until everything published is acknowledged.
#pragma once

#include <stop_token>

#include "sql/error.h"
#include "stream/publisher.h"

namespace pgsluice {

// A full stream makes this wait as long as it takes. Throws Interrupted when the stop token fires.
inline void await_acks(Publisher& publisher, const std::stop_token& stop) {
    while (!publisher.await_acks(100)) {
        if (stop.stop_requested()) throw Interrupted{};
    }
}

}  // namespace pgsluice
