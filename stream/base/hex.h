// Bytes to hexadecimal digits and back.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pgsluice {

// Writes 2 * bytes.size() digits, in lower case; returns the end.
inline char* encode_hex(std::string_view bytes, char* out) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : bytes) {
        *out++ = digits[static_cast<unsigned char>(c) >> 4U];
        *out++ = digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

inline std::string to_hex(std::string_view bytes) {
    std::string digits(2 * bytes.size(), '\0');
    encode_hex(bytes, digits.data());
    return digits;
}

inline std::string to_hex(std::span<const unsigned char> bytes) {
    return to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

inline int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Writes digits.size() / 2 bytes; `out` may be where the digits start. False when it is not pairs of digits.
inline bool decode_hex(std::string_view digits, char* out) noexcept {
    if (digits.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0) return false;
        *out++ = static_cast<char>(high * 16 + low);
    }
    return true;
}

}  // namespace pgsluice
