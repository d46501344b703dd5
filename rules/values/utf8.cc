#include "rules/values/utf8.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace pgsluice::rules {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

std::size_t skip_ascii(std::string_view text, std::size_t at) noexcept {
    while (at + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        if ((word & high_bits) != 0) break;
        at += 8;
    }
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0x80) == 0) ++at;
    return at;
}

// Length of the well-formed multi-byte sequence at the start of `text`; 0 when there is none.
std::size_t sequence(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned least = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned most = lead == 0xed ? 0x9f : 0xbf;
        return byte(1) >= least && byte(1) <= most && tail(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned least = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned most = lead == 0xf4 ? 0x8f : 0xbf;
        return byte(1) >= least && byte(1) <= most && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
        const std::size_t bytes = sequence(text.substr(at));
        if (bytes == 0) return false;
        at += bytes;
    }
    return true;
}

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
