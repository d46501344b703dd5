#include "stream/format/json_writer.h"

#include <algorithm>
#include <charconv>

#include "stream/base/hex.h"
#include "stream/format/json_string.h"
#include "stream/format/utf8.h"

namespace pgsluice {

void JsonText::grow(std::size_t bytes) {
    const std::size_t capacity = std::max({size_ + bytes, capacity_ * 2, std::size_t{4096}});
    std::unique_ptr<char[]> bigger(new char[capacity]);
    if (size_ != 0) std::memcpy(bigger.get(), buffer_.get(), size_);
    buffer_ = std::move(bigger);
    capacity_ = capacity;
}

void JsonText::text(std::string_view bytes) {
    constexpr std::size_t piece_bytes = 4096;
    const std::size_t start = size_;
    bool ascii = true;
    raw('"');
    for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
        const auto piece = bytes.substr(at, piece_bytes);
        char* out = room(json_escape_room(piece.size()));
        const auto escaped = escape_json(out, piece);
        size_ += static_cast<std::size_t>(escaped.end - out);
        ascii = ascii && escaped.ascii;
    }
    raw('"');
    if (!ascii && !is_utf8(bytes)) {
        size_ = start;
        hex(bytes);
    }
}

void JsonText::hex(std::string_view bytes) {
    raw("{\"hex\":\"");
    encode_hex(bytes, room(bytes.size() * 2));
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
