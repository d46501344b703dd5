// SIGTERM and SIGINT as a stop token, SIGHUP as a call: no handlers, no global flags.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "stream/base/log.h"

namespace pgsluice {

// Blocks the signals in this thread and all started later, and ignores SIGPIPE and SIGXFSZ (writes fail then). So it is
// made before any other thread. The first signal requests the stop; the second ends the process at once with 128 + its
// number.
//
// `on_hangup` is called at each SIGHUP, by the thread that watches; without one, SIGHUP ends the process as it always
// does. Once the terminal that standard error was at the start is gone, SIGHUP asks to stop, like SIGTERM.
class SignalWatch {
   public:
    explicit SignalWatch(Log log, std::function<void()> on_hangup = {});
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

   private:
    void watch();
    void take(int number);
    void ask_to_stop(int number);

    Log log_;
    const std::function<void()> on_hangup_;
    const bool on_terminal_;
    std::stop_source source_;
    std::thread thread_;
};

}  // namespace pgsluice
