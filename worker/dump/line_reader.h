// A dump's bytes as lines, of any length up to what PostgreSQL takes; one is held at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "worker/dump/place.h"

namespace pgsluice::dump {

// Reads up to `size` bytes; 0 at the end.
using ReadBytes = std::function<std::size_t(char* into, std::size_t size)>;

class LineReader {
   public:
    // A row of COPY text and a statement are below 1 GiB in PostgreSQL.
    static constexpr std::size_t max_line_bytes = 1UL << 30;

    LineReader(std::string file, ReadBytes read) : read_(std::move(read)), place_{std::move(file), 0} {}

    // Without its newline; nothing at the end. Valid until the next call. A last line without a newline is one, too:
    // see cut_off().
    std::optional<std::string_view> next();
    // Whether the last line came without a newline.
    [[nodiscard]] bool cut_off() const noexcept { return cut_off_; }
    // Of the line that came last.
    [[nodiscard]] const Place& place() const noexcept { return place_; }

   private:
    bool fill();

    ReadBytes read_;
    Place place_;
    std::string buffer_;
    std::size_t begin_ = 0;  // of what was not handed out
    std::size_t end_ = 0;    // of what was read
    bool cut_off_ = false;
};

}  // namespace pgsluice::dump
