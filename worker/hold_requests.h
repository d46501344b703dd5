// Reads compare's request from the group's KV bucket into a Hold, and sends the answers.
#pragma once

#include <chrono>
#include <string>

#include "stream/base/log.h"
#include "stream/group/compare_keys.h"
#include "worker/hold.h"

namespace pgsluice {

class HoldRequests {
   public:
    HoldRequests(Hold& hold, CompareKeys keys, std::string worker, const Log& log);

    // Call it often; it asks the broker about once a second, and more often while compare waits. A broker that does not
    // answer is asked again later: a hold ends by its own clock.
    void look(Position taken);

   private:
    void send();
    void read(Position taken);

    Hold& hold_;
    CompareKeys keys_;
    std::string worker_;
    const Log& log_;
    Hold::Clock::time_point next_{};
};

}  // namespace pgsluice
