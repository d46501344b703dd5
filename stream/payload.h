// What nats-server's max_payload has to leave room for.
#pragma once

#include <cstdint>

namespace pgsluice {

// Upper limit of a message's headers, ours and the broker's; max_payload includes them.
inline constexpr std::uint64_t message_header_bytes = 1024;
// With less nothing can be published.
inline constexpr std::uint64_t least_max_payload = 2 * message_header_bytes;
inline constexpr const char* max_payload_hint =
    "Set max_payload in nats-server's configuration to 64 KB or more; its default is 1 MB.";

}  // namespace pgsluice
