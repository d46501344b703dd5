// HMAC-SHA-256 (RFC 2104) under one key, prepared once.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace pgsluice::rules {

class Hmac {
   public:
    using Digest = std::array<unsigned char, 32>;

    explicit Hmac(std::string_view key);
    Hmac(Hmac&& other) noexcept;
    ~Hmac();

    // From any thread.
    [[nodiscard]] Digest digest(std::string_view text) const;
    // By which two keys are told apart: the digest of a fixed text, as hexadecimal digits.
    [[nodiscard]] std::string proof() const;

   private:
    struct States;
    std::unique_ptr<States> states_;
};

// The key of one use of a secret, which no column shows: `hash` prints HMACs under the secret itself, so a key that
// were one could be had by writing the right text into a hashed column. Here the secret is the message.
Hmac derived_key(std::string_view use, std::string_view secret);

// Overwrites a secret that is not needed any more.
void cleanse(std::string& secret) noexcept;

// The first digits of it, lower-case; returns how many.
std::size_t write_hex(const Hmac::Digest& digest, std::size_t digits, char* out) noexcept;

}  // namespace pgsluice::rules
