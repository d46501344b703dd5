// HMAC-SHA-256 (RFC 2104) under one key, prepared once.
#pragma once

#include <array>
#include <memory>
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

   private:
    struct States;
    std::unique_ptr<States> states_;
};

}  // namespace pgsluice::rules
