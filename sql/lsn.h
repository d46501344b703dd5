// A log sequence number: a byte position in the write-ahead log (manual, section 8.20 "pg_lsn Type").
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

struct Lsn {
    std::uint64_t value = 0;

    auto operator<=>(const Lsn&) const = default;
    // PostgreSQL's own InvalidXLogRecPtr.
    [[nodiscard]] bool valid() const noexcept { return value != 0; }
};

// "0/16B2D50", as PostgreSQL prints it.
std::string to_string(Lsn lsn);
// Nothing unless the whole text is one LSN: two runs of 1 to 8 hexadecimal digits with a slash between.
std::optional<Lsn> parse_lsn(std::string_view text);

}  // namespace pgsluice
