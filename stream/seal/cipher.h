// OpenSSL's ciphers, as sealing needs them: AES-256-GCM and HMAC-SHA-256; SHA-256 for others. The only file of this
// folder that sees it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

using SecretKey = std::array<unsigned char, 32>;
using Nonce = std::array<unsigned char, 12>;

inline constexpr std::size_t gcm_tag_bytes = 16;

// AES-256-GCM under one key. One thread at a time.
class Gcm {
   public:
    explicit Gcm(const SecretKey& key);
    ~Gcm();
    Gcm(Gcm&&) noexcept;
    Gcm& operator=(Gcm&&) noexcept;

    // The ciphertext and after it the tag. Never twice with one nonce under one key.
    [[nodiscard]] std::string seal(const Nonce& nonce, std::string_view associated, std::string_view plain);
    // In place: `bytes` holds ciphertext and tag. Returns the length of the plain text before the tag; nothing when a
    // bit of it, of the nonce or of the associated data is not what was sealed: the bytes are then worthless.
    std::optional<std::size_t> open(const Nonce& nonce, std::string_view associated, char* bytes, std::size_t length);

   private:
    struct Contexts;
    std::unique_ptr<Contexts> contexts_;
};

using Digest = std::array<unsigned char, 32>;
Digest sha256(std::string_view text);
SecretKey hmac_sha256(const SecretKey& key, std::string_view text);
// In a time that does not depend on where they differ.
bool same_bytes(std::string_view a, std::string_view b) noexcept;
// From the operating system, for secrets.
std::string random_bytes(std::size_t count);
// Standard base64 with padding; nothing when it is not that.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace pgsluice
