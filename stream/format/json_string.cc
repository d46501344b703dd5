#include "stream/format/json_string.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "stream/base/hex.h"
#include "stream/format/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pgsluice {

namespace {

// What follows the backslash; 'u' for the long form, 0 for a byte that needs no escape.
using Escapes = std::array<char, 256>;

constexpr Escapes coded_escapes = [] {
    Escapes table{};
    for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
    table['"'] = '"';
    table['\\'] = '\\';
    return table;
}();

constexpr Escapes brief_escapes = [] {
    Escapes table = coded_escapes;
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    return table;
}();

constexpr Escapes with_high_bytes(Escapes table) {
    for (std::size_t i = 0x80; i < table.size(); ++i) table[i] = 'u';
    return table;
}

char* put_byte(char* out, char c, const Escapes& escapes) noexcept {
    const char escape = escapes[static_cast<unsigned char>(c)];
    if (escape == 0) {
        *out = c;
        return out + 1;
    }
    out[0] = '\\';
    out[1] = escape;
    if (escape != 'u') return out + 2;
    out[2] = '0';
    out[3] = '0';
    return encode_hex({&c, 1}, out + 4);
}

void append_latin1(std::string& out, std::string_view text, const Escapes& escapes) {
    const Escapes table = with_high_bytes(escapes);
    for (const char c : text) {
        std::array<char, json_escape_room(1)> buffer;
        out.append(buffer.data(), static_cast<std::size_t>(put_byte(buffer.data(), c, table) - buffer.data()));
    }
}

void append_hex_text(std::string& out, std::string_view bytes) {
    out += "\\\\x";
    const std::size_t start = out.size();
    out.resize(start + 2 * bytes.size());
    encode_hex(bytes, out.data() + start);
}

// A code unit from four digits; nothing when they are not.
std::optional<std::uint32_t> read_unit(std::string_view digits) noexcept {
    std::array<char, 2> bytes;
    if (digits.size() < 4 || !decode_hex(digits.substr(0, 4), bytes.data())) return std::nullopt;
    return static_cast<unsigned char>(bytes[0]) << 8U | static_cast<unsigned char>(bytes[1]);
}

// At a `\u`.
JsonEscape read_unicode(std::string_view text) noexcept {
    const auto unit = read_unit(text.substr(2));
    if (!unit) return {};
    const bool high = *unit >= 0xd800 && *unit < 0xdc00;
    if (!high || !text.substr(6).starts_with("\\u")) return {*unit, 6};
    const auto low = read_unit(text.substr(8));
    if (!low || *low < 0xdc00 || *low >= 0xe000) return {*unit, 6};
    return {0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00), 12};
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

constexpr std::string_view short_names = "bfnrt\"\\/";
constexpr std::string_view short_meanings = "\b\f\n\r\t\"\\/";

}  // namespace

JsonEscaped escape_json(char* out, std::string_view text, JsonControls controls) noexcept {
    const Escapes& escapes = controls == JsonControls::brief ? brief_escapes : coded_escapes;
    const char* from = text.data();
    const char* const to = from + text.size();
    unsigned high = 0;
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
        out = put_byte(out + plain, *from++, escapes);
    }
#endif
    for (; from != to; ++from) {
        high |= static_cast<unsigned char>(*from) & 0x80U;
        out = put_byte(out, *from, escapes);
    }
    return {out, high == 0};
}

void append_json_string(std::string& out, std::string_view text, NotUtf8 otherwise, JsonControls controls) {
    constexpr std::size_t piece_bytes = 512;
    std::array<char, json_escape_room(piece_bytes)> buffer;
    out += '"';
    const std::size_t start = out.size();
    bool ascii = true;
    for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
        const auto piece = escape_json(buffer.data(), text.substr(at, piece_bytes), controls);
        out.append(buffer.data(), static_cast<std::size_t>(piece.end - buffer.data()));
        ascii = ascii && piece.ascii;
    }
    if (!ascii && otherwise != NotUtf8::unchecked && !is_utf8(text)) {
        out.resize(start);
        if (otherwise == NotUtf8::hex_text) {
            append_hex_text(out, text);
        } else {
            append_latin1(out, text, controls == JsonControls::brief ? brief_escapes : coded_escapes);
        }
    }
    out += '"';
}

JsonEscape read_json_escape(std::string_view text) noexcept {
    if (text.size() < 2 || text[0] != '\\') return {};
    if (text[1] == 'u') return read_unicode(text);
    const auto found = short_names.find(text[1]);
    if (found == std::string_view::npos) return {};
    return {static_cast<std::uint32_t>(short_meanings[found]), 2};
}

std::optional<std::size_t> unescape_json(char* text, std::size_t size, LoneSurrogate lone) noexcept {
    constexpr std::uint32_t replacement_character = 0xfffd;
    const char* from = text;
    const char* const end = text + size;
    char* out = text;
    while (from != end) {
        const auto* backslash = static_cast<const char*>(std::memchr(from, '\\', static_cast<std::size_t>(end - from)));
        const auto plain = static_cast<std::size_t>((backslash == nullptr ? end : backslash) - from);
        if (out != from) std::memmove(out, from, plain);
        out += plain;
        if (backslash == nullptr) break;
        const auto escape = read_json_escape({backslash, static_cast<std::size_t>(end - backslash)});
        if (escape.length == 0 || (escape.lone_surrogate() && lone == LoneSurrogate::refuse)) return std::nullopt;
        out = put_utf8(out, escape.lone_surrogate() ? replacement_character : escape.code);
        from = backslash + escape.length;
    }
    return static_cast<std::size_t>(out - text);
}

}  // namespace pgsluice
