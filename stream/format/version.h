// The version of the stream's format, and what a program does that meets a later one (FORMAT.md, "Versions").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

// Raised when a program that knows the one before could not read what is written, or would misread it.
inline constexpr std::uint32_t format_version = 3;
// What a stream is of that may hold encoded bodies. Any other is of version 1: programs that know no later one read it.
inline constexpr std::uint32_t encoded_bodies_format = 2;
// The same of direct snapshots.
inline constexpr std::uint32_t direct_snapshots_format = 3;

// What a replicator says of what it writes.
struct WrittenFormat {
    std::uint32_t version = 0;  // 0: an older build, which did not say; it wrote version 1
    std::string program_version;

    bool operator==(const WrittenFormat&) const = default;
};

// From the body of a `group` message, or the key of that name; nothing when it cannot be read.
std::optional<WrittenFormat> written_format(std::string_view group_info);

// A stop Error when it is of a later version than this program knows.
void require_known_format(const std::string& group, std::string_view group_info);

}  // namespace pgsluice
