// AES-SIV (RFC 5297) with a key of 512 bits: the same text always becomes the same ciphertext, which shows nothing but
// the text's length, and cannot be altered unnoticed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// Calls come from any thread.
class Siv {
   public:
    static constexpr std::size_t key_bytes = 64;
    static constexpr std::size_t tag_bytes = 16;

    // std::runtime_error where OpenSSL does not have it.
    explicit Siv(std::string_view key);
    Siv(Siv&& other) noexcept;
    ~Siv();

    // The synthetic IV, and the text's bytes encrypted. Not for an empty text.
    [[nodiscard]] std::string seal(std::string_view text) const;
    // Nothing where it was not sealed with this key.
    [[nodiscard]] std::optional<std::string> open(std::string_view sealed) const;

   private:
    struct Contexts;
    std::unique_ptr<Contexts> contexts_;
};

}  // namespace pgsluice::rules
