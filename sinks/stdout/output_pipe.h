// Writing to a descriptor that we were given (stdout): a pipe, a terminal, a file or a socket.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "sinks/file/posix_file.h"

namespace pgsluice {

class OutputPipe {
   public:
    // `fd` stays the caller's. SIGPIPE must be ignored or blocked. `mid_line` is kept up to date, also when write()
    // throws: whether the last byte that went out, or that a file has before us, was no newline.
    OutputPipe(int fd, std::shared_ptr<bool> mid_line, std::stop_token stop,
               std::chrono::milliseconds stop_grace = std::chrono::seconds(2));

    // Writes all of it, as slowly as the reader reads. OutputClosed when the reader has gone. `stop_grace` after it saw
    // that we are asked to stop, the reader is no longer waited for: Interrupted.
    void write(std::string_view bytes);
    // OutputClosed when the reader of a pipe or socket has gone; costs one poll().
    void check_reader() const;
    // What has been written survives a crash of the machine, where that is up to us: in a file.
    void sync() const;
    // To be called several times a second by a write() that takes long.
    void while_waiting(std::function<void()> tell) { tell_ = std::move(tell); }
    [[nodiscard]] bool is_terminal() const noexcept { return kind_ == Kind::terminal; }
    [[nodiscard]] bool is_regular_file() const noexcept { return kind_ == Kind::file; }

   private:
    using Clock = std::chrono::steady_clock;
    enum class Kind : unsigned char { file, pipe, socket, terminal, device };

    // What write(2) returns; does not block but on a disk.
    ssize_t put(std::string_view bytes) const;
    void wait_writable() const;
    // Looks at the clock: whether it is time to tell, or to give up.
    void look_around();
    [[nodiscard]] int fd() const noexcept { return own_.open() ? own_.get() : shared_; }

    int shared_;
    std::shared_ptr<bool> mid_line_;
    Fd own_;  // the same one opened again, not blocking: the flag would apply to all who share the description
    Kind kind_ = Kind::device;
    std::stop_token stop_;
    std::chrono::milliseconds stop_grace_;
    std::function<void()> tell_;
    Clock::time_point told_{};
    std::optional<Clock::time_point> stopping_since_;
};

}  // namespace pgsluice
