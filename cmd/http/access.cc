#include "cmd/http/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "stream/base/hex.h"

namespace pgsluice {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
    Digest digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

bool same(std::string_view a, std::string_view b) {
    const Digest first = digest_of(a);
    const Digest second = digest_of(b);
    return CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

std::string code_of(std::string_view text, std::string_view key) {
    Digest code{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), code.data(), &length);
    return to_hex(code);
}

// Of "a=1; name=2": "2". Empty when it is not there.
std::string_view cookie_of(std::string_view cookies, std::string_view name) {
    while (!cookies.empty()) {
        const std::string_view one = cookies.substr(0, cookies.find("; "));
        cookies.remove_prefix(std::min(cookies.size(), one.size() + 2));
        if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) return one.substr(name.size() + 1);
    }
    return {};
}

bool same_letters(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

// Digests are of one length, so the time tells nothing of the token's.
bool HttpAccess::is_token(std::string_view text) const { return same(text, token_); }

std::string HttpAccess::session_until(std::int64_t end) const {
    return fmt::format("{}.{}", end, code_of(fmt::format("pgsluice session until {}", end), token_));
}

std::optional<std::string> HttpAccess::log_in(std::string_view shown, std::int64_t now) const {
    if (token_.empty() || !is_token(shown)) return std::nullopt;
    return session_until(now + session_s);
}

bool HttpAccess::permits_cookie(std::string_view cookies, std::int64_t now) const {
    const std::string_view value = cookie_of(cookies, cookie_name_);
    std::int64_t end = 0;
    const char* last = value.data() + value.size();
    const auto [dot, error] = std::from_chars(value.data(), last, end);
    if (error != std::errc() || end <= now) return false;
    return same(value, session_until(end));
}

bool HttpAccess::permits(std::string_view authorization) const {
    constexpr std::string_view scheme = "bearer";
    if (token_.empty()) return true;
    if (!same_letters(authorization.substr(0, scheme.size()), scheme)) return false;
    authorization.remove_prefix(scheme.size());
    const std::size_t from = authorization.find_first_not_of(' ');
    return from != 0 && from != std::string_view::npos && is_token(authorization.substr(from));
}

bool is_open(std::string_view path) {
    return path == "/healthz" || path == "/readyz" || path == "/login" || path.starts_with("/assets/");
}

}  // namespace pgsluice
