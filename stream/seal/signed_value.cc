#include "stream/seal/signed_value.h"

#include "stream/base/hex.h"

namespace pgsluice {

namespace {

constexpr std::string_view mark = "\nsealed:";
constexpr std::size_t mac_digits = 64;

// Neither a bucket nor a key holds a newline.
std::string mac_of(const StreamKey& key, const ValuePlace& place, std::string_view value) {
    std::string text(place.bucket);
    text.append("\n").append(place.key).append("\n").append(value);
    const SecretKey mac = hmac_sha256(hmac_sha256(key.secret, "pgsluice value 1"), text);
    return to_hex(mac);
}

}  // namespace

std::string sign_value(const StreamKey& key, const ValuePlace& place, std::string_view value) {
    return std::string(value).append(mark).append(key.id).append(":").append(mac_of(key, place, value));
}

std::optional<SignedValue> split_value(std::string_view text) {
    const auto at = text.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(at + mark.size());
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos || rest.size() - colon - 1 != mac_digits) return std::nullopt;
    return SignedValue{text.substr(0, at), rest.substr(0, colon), rest.substr(colon + 1)};
}

bool is_authentic(const StreamKey& key, const ValuePlace& place, const SignedValue& value) {
    return same_bytes(mac_of(key, place, value.value), value.mac);
}

}  // namespace pgsluice
