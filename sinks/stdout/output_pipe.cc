#include "sinks/stdout/output_pipe.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "sinks/sink.h"

namespace pgsluice {

namespace {

constexpr int poll_ms = 100;
constexpr std::chrono::milliseconds tell_interval{100};
// A terminal that polls writable may take less than that without blocking; then we block until it has taken this.
constexpr std::size_t terminal_piece = 256;

// A worker that was killed while it wrote to this file may have left a part of a line. What cannot be read is taken to
// end well.
bool ends_within_line(int fd, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return false;
    const bool appends = (::fcntl(fd, F_GETFL) & O_APPEND) != 0;
    const off_t end = appends ? status.st_size : ::lseek(fd, 0, SEEK_CUR);
    const Fd file(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
    char last = '\n';
    return end > 0 && file.open() && ::pread(file.get(), &last, 1, end - 1) == 1 && last != '\n';
}

}  // namespace

OutputPipe::OutputPipe(int fd, std::shared_ptr<bool> mid_line, std::stop_token stop,
                       std::chrono::milliseconds stop_grace)
    : shared_(fd), mid_line_(std::move(mid_line)), stop_(std::move(stop)), stop_grace_(stop_grace) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw io_error("write", "stdout");
    if (ends_within_line(fd, status)) *mid_line_ = true;
    if (S_ISREG(status.st_mode)) kind_ = Kind::file;
    if (S_ISFIFO(status.st_mode)) kind_ = Kind::pipe;
    if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
    if (::isatty(fd) == 1) kind_ = Kind::terminal;
    if (kind_ != Kind::pipe && kind_ != Kind::terminal) return;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_ = Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));  // else we write in small pieces
}

ssize_t OutputPipe::put(std::string_view bytes) const {
    if (kind_ == Kind::socket) return ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (kind_ == Kind::file || kind_ == Kind::device || own_.open()) return ::write(fd(), bytes.data(), bytes.size());
    // A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)).
    const std::size_t most = kind_ == Kind::pipe ? std::size_t{PIPE_BUF} : terminal_piece;
    pollfd entry{fd(), POLLOUT, 0};
    if (::poll(&entry, 1, 0) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(fd(), bytes.data(), std::min(bytes.size(), most));
}

void OutputPipe::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = put(bytes);
        if (written > 0) {
            *mid_line_ = bytes[static_cast<std::size_t>(written) - 1] != '\n';
            bytes.remove_prefix(static_cast<std::size_t>(written));
            if (bytes.empty()) return;
        } else if (written < 0 && errno == EAGAIN) {
            wait_writable();
        } else if (written < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            throw OutputClosed();
        } else if (written < 0 && errno != EINTR) {
            throw io_error("write", "stdout");
        }
        look_around();
    }
}

void OutputPipe::sync() const {
    if (is_regular_file() && ::fdatasync(fd()) != 0) throw io_error("sync", "stdout");
}

void OutputPipe::wait_writable() const {
    pollfd entry{fd(), POLLOUT, 0};
    ::poll(&entry, 1, poll_ms);
}

void OutputPipe::look_around() {
    const auto now = Clock::now();
    if (stop_.stop_requested()) {
        if (!stopping_since_) stopping_since_ = now;
        if (now - *stopping_since_ > stop_grace_) throw Interrupted();
    }
    if (tell_ == nullptr || now - told_ < tell_interval) return;
    told_ = now;
    tell_();
}

void OutputPipe::check_reader() const {
    if (kind_ != Kind::pipe && kind_ != Kind::socket) return;
    pollfd entry{fd(), 0, 0};
    if (::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLERR | POLLHUP)) != 0) throw OutputClosed();
}

}  // namespace pgsluice
