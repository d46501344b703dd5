// Writing to a descriptor that somebody else gave us (stdout): a pipe, a terminal, a file or a socket.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "sinks/posix_file.h"

namespace pgsluice {

class OutputPipe {
   public:
    // `fd` stays the caller's. SIGPIPE must be ignored or blocked.
    OutputPipe(int fd, std::stop_token stop);

    // Writes all of it, as slowly as the reader reads. OutputClosed when the reader has gone. Once we are asked to
    // stop, a reader that takes nothing for two seconds is no longer waited for: Interrupted.
    void write(std::string_view bytes);
    // OutputClosed when the reader of a pipe has gone; costs one poll().
    void check_reader() const;
    // To be called several times a second by a write() whose reader takes nothing.
    void while_waiting(std::function<void()> tell) { tell_ = std::move(tell); }
    [[nodiscard]] bool is_terminal() const noexcept { return terminal_; }

   private:
    void wait_writable();
    [[nodiscard]] int fd() const noexcept { return own_.open() ? own_.get() : shared_; }

    int shared_;
    Fd own_;  // the same pipe opened anew, not blocking: the flag on the shared description would be everybody's
    bool terminal_;
    bool pipe_ = false;
    int stalled_ms_ = 0;
    std::stop_token stop_;
    std::function<void()> tell_;
};

}  // namespace pgsluice
