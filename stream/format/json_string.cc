#include "stream/format/json_string.h"

#include <cstdint>
#include <cstring>

#include "stream/format/hex.h"

namespace pgsluice {

namespace {

// A code unit from four digits; nothing when they are not.
std::optional<std::uint32_t> read_unit(const char* from, const char* end) noexcept {
    if (end - from < 4) return std::nullopt;
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(from[i]);
        if (digit < 0) return std::nullopt;
        unit = unit * 16 + static_cast<std::uint32_t>(digit);
    }
    return unit;
}

char* put_utf8(char* out, std::uint32_t code) noexcept {
    const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    }
    return out;
}

// Behind "\u": writes the character, moves `from` behind the digits; null when it is not one.
char* take_unicode(const char*& from, const char* end, char* out) noexcept {
    const auto unit = read_unit(from, end);
    if (!unit || (*unit >= 0xdc00 && *unit < 0xe000)) return nullptr;
    from += 4;
    if (*unit < 0xd800 || *unit >= 0xe000) return put_utf8(out, *unit);
    if (end - from < 6 || from[0] != '\\' || from[1] != 'u') return nullptr;
    const auto low = read_unit(from + 2, end);
    if (!low || *low < 0xdc00 || *low >= 0xe000) return nullptr;
    from += 6;
    return put_utf8(out, 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00));
}

char short_escape(char c) noexcept {
    switch (c) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case '"':
        case '\\':
        case '/':
            return c;
        default:
            return 0;
    }
}

}  // namespace

std::optional<std::size_t> unescape_json(char* text, std::size_t size) noexcept {
    const char* from = text;
    const char* const end = text + size;
    char* out = text;
    while (from != end) {
        const auto* backslash = static_cast<const char*>(std::memchr(from, '\\', static_cast<std::size_t>(end - from)));
        const auto plain = static_cast<std::size_t>((backslash == nullptr ? end : backslash) - from);
        if (out != from) std::memmove(out, from, plain);
        out += plain;
        if (backslash == nullptr) break;
        from = backslash + 1;
        if (from == end) return std::nullopt;
        const char escape = *from++;
        if (escape == 'u') {
            out = take_unicode(from, end, out);
            if (out == nullptr) return std::nullopt;
        } else {
            *out = short_escape(escape);
            if (*out++ == 0) return std::nullopt;
        }
    }
    return static_cast<std::size_t>(out - text);
}

}  // namespace pgsluice
