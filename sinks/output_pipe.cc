#include "sinks/output_pipe.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "sinks/sink.h"

namespace pgsluice {

namespace {

constexpr int kPollMs = 100;
constexpr int kStalledLimitMs = 2000;

}  // namespace

OutputPipe::OutputPipe(int fd, std::stop_token stop)
    : shared_(fd), terminal_(::isatty(fd) == 1), stop_(std::move(stop)) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw io_error("write", "stdout");
    pipe_ = S_ISFIFO(status.st_mode);
    if (!pipe_) return;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_ = Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));  // without /proc we write in small pieces
}

void OutputPipe::write(std::string_view bytes) {
    while (!bytes.empty()) {
        // A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)).
        const bool may_block = pipe_ && !own_.open();
        if (may_block) wait_writable();
        const std::size_t size = may_block ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        const ssize_t written = ::write(fd(), bytes.data(), size);
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
            stalled_ms_ = 0;
        } else if (errno == EAGAIN) {
            wait_writable();
        } else if (errno == EPIPE || errno == ECONNRESET) {
            throw OutputClosed();
        } else if (errno != EINTR) {
            throw io_error("write", "stdout");
        }
    }
}

void OutputPipe::wait_writable() {
    pollfd entry{fd(), POLLOUT, 0};
    while (::poll(&entry, 1, kPollMs) <= 0) {
        if (stop_.stop_requested() && (stalled_ms_ += kPollMs) >= kStalledLimitMs) throw Interrupted();
        if (tell_) tell_();
    }
}

void OutputPipe::check_reader() const {
    if (!pipe_) return;
    pollfd entry{fd(), 0, 0};
    if (::poll(&entry, 1, 0) > 0 && (entry.revents & POLLERR) != 0) throw OutputClosed();
}

}  // namespace pgsluice
