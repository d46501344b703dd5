#include "replicator/wal/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace pgsluice {

namespace {

std::string usual_directory() {
    const char* given = std::getenv("TMPDIR");
    return given != nullptr && *given != '\0' ? given : "/tmp";
}

using Length = std::uint32_t;

}  // namespace

Spool::~Spool() {
    if (file_ >= 0) ::close(file_);
}

void Spool::append(std::string_view head, std::string_view rest) {
    const auto length = static_cast<Length>(head.size() + rest.size());
    tail_.append(reinterpret_cast<const char*>(&length), sizeof(length)).append(head).append(rest);
    if (tail_.size() >= in_memory_) write_out();
}

void Spool::write_out() {
    if (file_ < 0) open();
    std::string_view left = tail_;
    while (!left.empty()) {
        const auto bytes = ::pwrite(file_, left.data(), left.size(), static_cast<off_t>(written_));
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) fail();
        written_ += static_cast<std::uint64_t>(bytes);
        left.remove_prefix(static_cast<std::size_t>(bytes));
    }
    tail_.clear();
}

void Spool::open() {
    if (directory_.empty()) directory_ = usual_directory();
    std::string name = directory_ + "/pgsluice-XXXXXX";
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ < 0) fail();
    ::unlink(name.c_str());
}

void Spool::truncate(std::uint64_t size) {
    if (size >= written_) {
        tail_.resize(static_cast<std::size_t>(size - written_));
        return;
    }
    tail_.clear();
    written_ = size;
    if (::ftruncate(file_, static_cast<off_t>(size)) < 0) fail();
}

std::optional<std::string_view> Spool::next() {
    if (fetched_ - (window_.size() - used_) == size()) return std::nullopt;
    Length length = 0;
    std::memcpy(&length, take(sizeof(length)).data(), sizeof(length));
    return take(length);
}

std::string_view Spool::take(std::size_t bytes) {
    if (window_.size() - used_ < bytes) refill(bytes);
    const std::string_view taken = std::string_view(window_).substr(used_, bytes);
    used_ += bytes;
    return taken;
}

// What was returned before may move.
void Spool::refill(std::size_t bytes) {
    window_.erase(0, std::exchange(used_, 0));
    while (window_.size() < bytes) {
        if (fetched_ >= written_) {
            window_.append(tail_, static_cast<std::size_t>(fetched_ - written_));
            fetched_ = size();
            return;
        }
        const std::size_t before = window_.size();
        const std::uint64_t more = std::max<std::uint64_t>(bytes - before, usual_memory);
        window_.resize(before + static_cast<std::size_t>(std::min(more, written_ - fetched_)));
        const auto got = ::pread(file_, &window_[before], window_.size() - before, static_cast<off_t>(fetched_));
        window_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail();
        fetched_ += static_cast<std::uint64_t>(got);
    }
}

void Spool::fail() const {
    const int number = errno;
    throw SpoolError(Action::retry, fmt::format("unable to keep a running transaction in '{}': {}", directory_,
                                                std::generic_category().message(number)));
}

}  // namespace pgsluice
