// What a sink does whose other end keeps what it had, and knows an event by its id, when --on-rules-change reload has
// the rows delivered again by other rules.
#pragma once

#include <cstdint>

namespace pgsluice {

class DeliversAgain {
   public:
    virtual ~DeliversAgain() = default;

    // Called after open(), before anything is handed over: the worker has done that so often (EventKey::reload).
    virtual void deliver_again(std::uint64_t reload) = 0;
};

}  // namespace pgsluice
