#include "stream/format/copy_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "sql/error.h"
#include "stream/base/hex.h"

namespace pgsluice {

namespace {

const char* find(const char* from, const char* end, char c) {
    const auto* place = static_cast<const char*>(std::memchr(from, c, static_cast<std::size_t>(end - from)));
    return place == nullptr ? end : place;
}

bool octal(char c) { return c >= '0' && c <= '7'; }

// After a backslash: returns the byte meant and moves `from` past the escape.
char take_escaped(const char*& from, const char* end) {
    const char c = *from++;
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
        case 'v':
            return '\v';
        default:
            break;
    }
    int byte = 0;
    if (c == 'x' && from != end && hex_digit(*from) >= 0) {
        for (int i = 0; i < 2 && from != end && hex_digit(*from) >= 0; ++i) byte = byte * 16 + hex_digit(*from++);
        return static_cast<char>(byte);
    }
    if (!octal(c)) return c;
    byte = c - '0';
    for (int i = 0; i < 2 && from != end && octal(*from); ++i) byte = byte * 8 + (*from++ - '0');
    return static_cast<char>(byte);
}

Value unescape(const char* from, const char* end, Arena& arena) {
    if (end - from == 2 && from[0] == '\\' && from[1] == 'N') return {};
    char* const start = reinterpret_cast<char*>(arena.allocate(static_cast<std::size_t>(end - from)));
    char* out = start;
    while (from != end) {
        if (*from != '\\') {
            *out++ = *from++;
            continue;
        }
        if (++from == end) throw stop_error("unable to read a row of COPY text: it ends in a backslash");
        *out++ = take_escaped(from, end);
    }
    return Value(std::string_view(start, static_cast<std::size_t>(out - start)));
}

char escape_of(char c) {
    switch (c) {
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        case '\v':
            return 'v';
        case '\\':
            return '\\';
        default:
            return 0;
    }
}

void append_escaped(std::string& out, std::string_view text) {
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char escape = escape_of(text[i]);
        if (escape == 0) continue;
        out.append(text, plain, i - plain);
        out += '\\';
        out += escape;
        plain = i + 1;
    }
    out.append(text, plain);
}

}  // namespace

std::string_view take_copy_line(std::string_view& text) {
    const auto* end = find(text.data(), text.data() + text.size(), '\n');
    const auto length = static_cast<std::size_t>(end - text.data());
    const auto line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    return line;
}

std::span<const Value> parse_copy_line(std::string_view line, std::size_t columns, Arena& arena) {
    const char* from = line.data();
    const char* const end = from + line.size();
    const auto wrong_number = [columns] {
        return stop_error(fmt::format("unable to read a row of COPY text: it does not have {} columns", columns));
    };
    if (columns == 0) {
        if (from != end) throw wrong_number();
        return {};
    }
    const char* backslash = find(from, end, '\\');  // the first at or after `from`
    const auto values = arena.make<Value>(columns);
    for (std::size_t i = 0; i < columns; ++i) {
        const char* const stop = find(from, end, '\t');
        if ((stop == end) != (i + 1 == columns)) throw wrong_number();
        if (backslash < stop) {
            values[i] = unescape(from, stop, arena);
            backslash = find(stop, end, '\\');
        } else {
            values[i] = Value(std::string_view(from, static_cast<std::size_t>(stop - from)));
        }
        from = stop == end ? end : stop + 1;
    }
    return values;
}

void append_copy_line(std::string& out, Row row) {
    for (bool first = true; const auto& value : row) {
        if (!first) out += '\t';
        first = false;
        if (value.is_unchanged()) throw std::logic_error("an unchanged value has no COPY text");
        if (value.is_null()) {
            out += "\\N";
        } else {
            append_escaped(out, value.text());
        }
    }
    out += '\n';
}

}  // namespace pgsluice
