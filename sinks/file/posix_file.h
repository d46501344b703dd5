// Owners and errors for files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

class Fd {
   public:
    Fd() noexcept = default;
    explicit Fd(int owned) noexcept : fd_(owned) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd();

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
    void close() noexcept { Fd(std::move(*this)); }

   private:
    int fd_ = -1;
};

// The error of the call that just failed (errno): "unable to write 'path': No space left on device". A full disk or
// quota may be cleared while we wait, so those are retried; the others need an operator.
Error io_error(std::string_view doing, const std::string& path);

// `flags` as for open(2); created files are 0640, for they hold rows. Throws io_error().
Fd open_file(const std::string& path, int flags);
// Takes the exclusive flock that ends with the process, on a file made where it is missing. A stop Error naming `what`
// when another process holds it.
Fd lock_file(const std::string& path, const std::string& what);
void write_all(const Fd& file, std::string_view bytes, const std::string& path);
void sync_file(const Fd& file, const std::string& path);
// Makes names created, renamed and removed in a directory durable.
void sync_directory(const std::string& directory);
// The whole file; a stop Error above 1 MiB.
std::string read_small_file(const Fd& file, const std::string& path);
// Puts `text` in the place of the file, so that a crash leaves the old or the new one.
void replace_file(const std::string& path, std::string_view text);

}  // namespace pgsluice
