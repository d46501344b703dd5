// The numbers that one value's fake is made of: xoshiro256** (Blackman and Vigna), begun with an HMAC of the value.
//
// Integers only, so that every machine and build draws the same. It need not be a secure generator: each value has a
// seed of its own, and nothing leads from one back to the value or the secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rules/transforms/hmac.h"

namespace pgsluice::rules {

// Never two draws among the arguments of one call: compilers differ in which comes first, and results with them.
class Draw {
   public:
    explicit Draw(const Hmac::Digest& seed) noexcept;

    std::uint64_t next() noexcept;
    // Evenly from 0 to `bound` - 1; 0 stands for 2^64.
    std::uint64_t below(std::uint64_t bound) noexcept;
    // Evenly from `least` to `most`, both included.
    std::int64_t between(std::int64_t least, std::int64_t most) noexcept;
    // One character of them.
    char of(std::string_view characters) noexcept { return characters[below(characters.size())]; }
    void append_digits(std::string& out, std::size_t count);
    // `count` of them.
    void append_of(std::string& out, std::string_view characters, std::size_t count);

   private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace pgsluice::rules
