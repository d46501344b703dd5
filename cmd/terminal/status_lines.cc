#include "cmd/terminal/status_lines.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace pgsluice {

namespace {

bool can_move_cursor(int fd) {
    const char* terminal = std::getenv("TERM");
    return ::isatty(fd) == 1 && terminal != nullptr && *terminal != '\0' && std::string_view(terminal) != "dumb";
}

struct WindowSize {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

WindowSize window_size(int fd) {
    winsize size{};
    WindowSize found;
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return found;
    if (size.ws_row > 0) found.rows = size.ws_row;
    if (size.ws_col > 0) found.columns = size.ws_col;
    return found;
}

void write_all(int fd, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written <= 0) return;  // there is nowhere left to report it
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

StatusLines::StatusLines(int fd) : fd_(fd), drawable_(can_move_cursor(fd)) {}

std::size_t StatusLines::columns() const { return window_size(fd_).columns; }

void StatusLines::print(std::string_view lines) {
    const std::lock_guard lock(mutex_);
    if (drawn_.empty()) return write_all(fd_, lines);
    write_all(fd_, erasing() + std::string(lines) + drawing());
}

void StatusLines::draw(std::vector<std::string> lines) {
    if (!drawable_) return;
    const std::lock_guard lock(mutex_);
    // What does not fit would scroll away and could not be erased; the last lines matter most.
    const std::size_t room = window_size(fd_).rows - 1;
    if (lines.size() > room) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(room));
    const std::string erase = erasing();
    drawn_ = std::move(lines);
    write_all(fd_, erase + drawing());
}

// The cursor is at the beginning of the line below the last one drawn. ESC [ n A moves it up, ESC [ J erases to the
// end (ECMA-48).
std::string StatusLines::erasing() const {
    return drawn_.empty() ? "" : fmt::format("\r\x1b[{}A\x1b[J", drawn_.size());
}

// Without wrapping (DECAWM), so that a window that was made narrower cuts lines and does not add any.
std::string StatusLines::drawing() const {
    if (drawn_.empty()) return "";
    std::string text = "\x1b[?7l";
    for (const std::string& line : drawn_) text += line + '\n';
    return text + "\x1b[?7h";
}

}  // namespace pgsluice
