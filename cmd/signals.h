// SIGTERM and SIGINT as a stop token: no handlers, no global flags.
#pragma once

#include <stop_token>
#include <thread>

#include "stream/log.h"

namespace pgsluice {

// Blocks the signals in this thread and all started later, and ignores SIGPIPE and SIGXFSZ (writes fail then). So it is
// made before any other thread. The first signal requests the stop; the second ends the process at once with 128 + its
// number.
class SignalWatch {
   public:
    explicit SignalWatch(Log log);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

   private:
    void watch();

    Log log_;
    std::stop_source source_;
    std::thread thread_;
};

}  // namespace pgsluice
