#include "sinks/file/posix_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace pgsluice {

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Error io_error(std::string_view doing, const std::string& path) {
    const int number = errno;
    const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    const std::string message =
        "unable to " + std::string(doing) + " '" + path + "': " + std::generic_category().message(number);
    if (full) return retry_error(message, "Free space there. The worker retries by itself.");
    return stop_error(message);
}

Fd open_file(const std::string& path, int flags) {
    Fd file(::open(path.c_str(), flags | O_CLOEXEC, 0640));
    if (!file.open()) throw io_error("open", path);
    return file;
}

Fd lock_file(const std::string& path, const std::string& what) {
    Fd file = open_file(path, O_RDWR | O_CREAT);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) throw io_error("lock", path);
    throw stop_error("unable to lock '" + path + "': another worker is using " + what,
                     "Stop the other worker, or give this one a path of its own.");
}

void write_all(const Fd& file, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            throw io_error("write", path);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

void sync_file(const Fd& file, const std::string& path) {
    if (::fdatasync(file.get()) != 0) throw io_error("sync", path);
}

void sync_directory(const std::string& directory) {
    const Fd handle = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (::fsync(handle.get()) != 0) throw io_error("sync", directory);
}

std::string read_small_file(const Fd& file, const std::string& path) {
    constexpr std::size_t limit_bytes = 1U << 20U;
    std::string text;
    char piece[4096];
    for (;;) {
        const ssize_t got = ::pread(file.get(), piece, sizeof piece, static_cast<off_t>(text.size()));
        if (got < 0) throw io_error("read", path);
        if (got == 0) return text;
        text.append(piece, static_cast<std::size_t>(got));
        if (text.size() > limit_bytes)
            throw stop_error("unable to read '" + path + "': it is too large for a file of pgsluice");
    }
}

void replace_file(const std::string& path, std::string_view text) {
    const std::string temporary = path + ".new";
    {
        const Fd file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
        write_all(file, text, temporary);
        sync_file(file, temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw io_error("replace", path);
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    sync_directory(parent.empty() ? "." : parent.string());
}

}  // namespace pgsluice
