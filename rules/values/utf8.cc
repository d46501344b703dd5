#include "rules/values/utf8.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace pgsluice::rules {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

}  // namespace

std::size_t count_characters(std::string_view text) noexcept {
    std::size_t continuations = 0;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        continuations += static_cast<std::size_t>(std::popcount(word & ~(word << 1) & high_bits));
    }
    for (; at < text.size(); ++at) continuations += is_continuation(text[at]) ? 1U : 0U;
    return text.size() - continuations;
}

std::size_t first_character(std::string_view text) noexcept {
    if (text.empty()) return 0;
    std::size_t bytes = 1;
    while (bytes < text.size() && is_continuation(text[bytes])) ++bytes;
    return bytes;
}

std::size_t last_character(std::string_view text) noexcept {
    if (text.empty()) return 0;
    std::size_t bytes = 1;
    while (bytes < text.size() && is_continuation(text[text.size() - bytes])) ++bytes;
    return bytes;
}

std::size_t prefix_bytes(std::string_view text, std::size_t count) noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_continuation(text[at])) continue;
        if (count-- == 0) return at;
    }
    return text.size();
}

}  // namespace pgsluice::rules
