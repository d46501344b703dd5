#include "cmd/http/access.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace pgsluice {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
    Digest digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

bool same_letters(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

// Digests are of one length, so the time tells nothing of the token's.
bool HttpAccess::is_token(std::string_view text) const {
    const Digest shown = digest_of(text);
    const Digest expected = digest_of(token_);
    return CRYPTO_memcmp(shown.data(), expected.data(), expected.size()) == 0;
}

bool HttpAccess::permits(std::string_view authorization) const {
    constexpr std::string_view scheme = "bearer";
    if (token_.empty()) return true;
    if (!same_letters(authorization.substr(0, scheme.size()), scheme)) return false;
    authorization.remove_prefix(scheme.size());
    const std::size_t from = authorization.find_first_not_of(' ');
    return from != 0 && from != std::string_view::npos && is_token(authorization.substr(from));
}

bool is_open(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

}  // namespace pgsluice
