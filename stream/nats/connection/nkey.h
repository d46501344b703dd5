// NKeys: Ed25519 keys of NATS, in base32 with a prefix and a checksum.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::nats {

// The public key ("U...") of a user's seed ("SU..."); nothing when it is none.
std::optional<std::string> public_nkey(std::string_view seed);

// The first user's seed in a file, which may also hold the lines that `nk` and `nsc` write around it.
std::optional<std::string> find_seed(std::string_view text);

}  // namespace pgsluice::nats
