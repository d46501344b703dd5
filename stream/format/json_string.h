// JSON strings (RFC 8259, section 7): the one place that writes escapes and reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

// How control characters are written. A reader of JSON sees no difference; users may compare lines byte for byte.
enum class JsonControls : std::uint8_t {
    brief,  // \b \f \n \r \t, and \u00xx for the others
    coded,  // always \u00xx
};

// JSON is UTF-8, and not every text is: a SQL_ASCII source hands its bytes over as they are.
enum class NotUtf8 : std::uint8_t {
    hex_text,   // the string is PostgreSQL's hexadecimal form of all bytes, `\x` and two digits each: nothing is lost
    latin1,     // every byte from 0x80 on is written as \u00xx: for people
    unchecked,  // the caller guarantees UTF-8
};

// Appends a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text, NotUtf8 otherwise = NotUtf8::hex_text,
                        JsonControls controls = JsonControls::brief);

// What escape_json() may write for so many bytes, or use as scratch room.
constexpr std::size_t json_escape_room(std::size_t bytes) { return 6 * bytes + 16; }

struct JsonEscaped {
    char* end;
    bool ascii;  // all of the text; otherwise the caller checks for UTF-8
};
// Writes `text` escaped, without quotes, to a buffer of json_escape_room(text.size()) bytes.
JsonEscaped escape_json(char* out, std::string_view text, JsonControls controls = JsonControls::brief) noexcept;

// \ud800 without its other half is a valid escape in JSON's grammar, but not a character.
enum class LoneSurrogate : std::uint8_t {
    refuse,
    replace,  // by U+FFFD
};

struct JsonEscape {
    std::uint32_t code = 0;    // the character; of a lone surrogate, its half
    std::uint32_t length = 0;  // of the escape, of both halves for a surrogate pair; 0 when it is invalid
    [[nodiscard]] bool lone_surrogate() const noexcept { return code >= 0xd800 && code < 0xe000; }
};
// The escape that `text` starts with.
JsonEscape read_json_escape(std::string_view text) noexcept;

// Replaces the escapes by what they mean, in place. `text` is what is between the quotes. Returns the bytes left;
// nothing when an escape is invalid. Bytes that are not escapes are not looked at.
std::optional<std::size_t> unescape_json(char* text, std::size_t size,
                                         LoneSurrogate lone = LoneSurrogate::refuse) noexcept;

}  // namespace pgsluice
