// How a value in the KV bucket of a sealed group is authenticated (FORMAT.md, "Sealed streams"): a line after it,
//
//   sealed:<key id>:<HMAC-SHA-256 of bucket, key and value, in hexadecimal digits>
//
// Values hold no rows and stay readable. What cannot be bound is the time: an older value of the same key is as good.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/seal/stream_keys.h"

namespace pgsluice {

struct ValuePlace {
    std::string_view bucket;
    std::string_view key;
};

struct SignedValue {
    std::string_view value;
    std::string_view key_id;
    std::string_view mac;  // digits
};

// What a signature costs at most.
inline constexpr std::size_t signature_bytes = 128;

std::string sign_value(const StreamKey& key, const ValuePlace& place, std::string_view value);
// Nothing when it has no such line.
std::optional<SignedValue> split_value(std::string_view text);
bool is_authentic(const StreamKey& key, const ValuePlace& place, const SignedValue& value);

}  // namespace pgsluice
