#include "stream/format/json_writer.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pgsluice {

namespace {

constexpr std::size_t longest_escape = 6;  // \u0000
constexpr char hex_digits[] = "0123456789abcdef";

// What follows the backslash; 'u' for the long form, 0 for a byte that needs no escape.
constexpr std::array<char, 256> escapes = [] {
    std::array<char, 256> table{};
    for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    table['"'] = '"';
    table['\\'] = '\\';
    return table;
}();

char* put_byte(char* out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape = escapes[byte];
    if (escape == 0) {
        *out = c;
        return out + 1;
    }
    out[0] = '\\';
    out[1] = escape;
    if (escape != 'u') return out + 2;
    out[2] = '0';
    out[3] = '0';
    out[4] = hex_digits[byte >> 4];
    out[5] = hex_digits[byte & 15];
    return out + longest_escape;
}

// Writes [from, to) escaped; `out` has room for the worst case and 16 bytes more. Adds the high bits seen to `high`.
char* put_escaped(char* out, const char* from, const char* to, unsigned& high) {
#ifdef __SSE2__
    const __m128i control = _mm_set1_epi8(0x1f);
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    while (to - from >= 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
        high |= static_cast<unsigned>(_mm_movemask_epi8(bytes));
        const __m128i special =
            _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes),
                         _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
        if (mask == 0) {
            from += 16;
            out += 16;
            continue;
        }
        const int plain = std::countr_zero(mask);
        from += plain;
        out = put_byte(out + plain, *from++);
    }
#endif
    for (; from != to; ++from) {
        high |= static_cast<unsigned char>(*from) & 0x80U;
        out = put_byte(out, *from);
    }
    return out;
}

}  // namespace

void JsonText::grow(std::size_t bytes) {
    const std::size_t capacity = std::max({size_ + bytes, capacity_ * 2, std::size_t{4096}});
    std::unique_ptr<char[]> bigger(new char[capacity]);
    if (size_ != 0) std::memcpy(bigger.get(), buffer_.get(), size_);
    buffer_ = std::move(bigger);
    capacity_ = capacity;
}

void JsonText::text(std::string_view bytes) {
    constexpr std::size_t piece = 4096;
    const std::size_t start = size_;
    unsigned high = 0;
    raw('"');
    for (const char *from = bytes.data(), *end = from + bytes.size(); from != end;) {
        const std::size_t length = std::min(piece, static_cast<std::size_t>(end - from));
        char* out = room(length * longest_escape + 16);
        size_ += static_cast<std::size_t>(put_escaped(out, from, from + length, high) - out);
        from += length;
    }
    raw('"');
    if (high != 0 && !simdjson::validate_utf8(bytes.data(), bytes.size())) {
        size_ = start;
        hex(bytes);
    }
}

void JsonText::hex(std::string_view bytes) {
    raw("{\"hex\":\"");
    char* out = room(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *out++ = hex_digits[byte >> 4];
        *out++ = hex_digits[byte & 15];
    }
    size_ += bytes.size() * 2;
    raw("\"}");
}

void JsonText::lsn(Lsn value) {
    raw('"');
    char* out = room(17);
    char* end = std::to_chars(out, out + 8, value.value >> 32, 16).ptr;
    *end++ = '/';
    end = std::to_chars(end, end + 8, value.value & 0xffffffffU, 16).ptr;
    for (char* c = out; c != end; ++c) {
        if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
    }
    size_ += static_cast<std::size_t>(end - out);
    raw('"');
}

void JsonText::unsigned_number(std::uint64_t value) {
    char* out = room(20);
    size_ += static_cast<std::size_t>(std::to_chars(out, out + 20, value).ptr - out);
}

void JsonText::signed_number(std::int64_t value) {
    char* out = room(20);
    size_ += static_cast<std::size_t>(std::to_chars(out, out + 20, value).ptr - out);
}

}  // namespace pgsluice
