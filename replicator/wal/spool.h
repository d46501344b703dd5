// Messages kept in order until they are read back, once: in memory first, then in a file that has no name and so ends
// with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

// There is no room for the file, or no place.
class SpoolError : public Error {
   public:
    using Error::Error;
};

class Spool {
   public:
    static constexpr std::size_t usual_memory = 256UL << 10;

    // Written to `directory` (empty: TMPDIR, or /tmp) once this many bytes have come.
    explicit Spool(std::string directory = {}, std::size_t in_memory = usual_memory)
        : directory_(std::move(directory)), in_memory_(in_memory) {}
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    ~Spool();

    // One message, in two parts. Throws SpoolError, a retry Error.
    void append(std::string_view head, std::string_view rest);
    // Bytes kept; a place to which truncate() may go back.
    [[nodiscard]] std::uint64_t size() const noexcept { return written_ + tail_.size(); }
    // Forgets what was appended since size() was this.
    void truncate(std::uint64_t size);

    // The next message, from the first on; nothing after the last. Once read, nothing may be appended any more. The
    // view is valid until the next call. Throws SpoolError.
    std::optional<std::string_view> next();

   private:
    void write_out();
    void open();
    std::string_view take(std::size_t bytes);
    void refill(std::size_t bytes);
    [[noreturn]] void fail() const;

    std::string directory_;
    std::size_t in_memory_;
    int file_ = -1;
    std::uint64_t written_ = 0;  // to the file
    std::string tail_;           // what comes after that
    std::string window_;         // read back,
    std::size_t used_ = 0;       // of which so much was returned
    std::uint64_t fetched_ = 0;  // of all, up to the window's end
};

}  // namespace pgsluice
