#include "cmd/terminal/log_fields.h"

#include <algorithm>

namespace pgsluice {

namespace {

constexpr std::size_t longest_half = 8;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_hex(c) || (c >= 'G' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '/'; }

// Hexadecimal digits at the end and at the beginning.
std::size_t digits_before(std::string_view text) {
    std::size_t count = 0;
    while (count < text.size() && is_hex(text[text.size() - 1 - count])) ++count;
    return count;
}
std::size_t digits_after(std::string_view text) {
    std::size_t count = 0;
    while (count < text.size() && is_hex(text[count])) ++count;
    return count;
}

bool fits(std::size_t digits) { return digits > 0 && digits <= longest_half; }

}  // namespace

std::string_view lsn_in(std::string_view message) {
    for (std::size_t slash = message.find('/'); slash != std::string_view::npos; slash = message.find('/', slash + 1)) {
        const std::size_t before = digits_before(message.substr(0, slash));
        const std::size_t after = digits_after(message.substr(slash + 1));
        if (!fits(before) || !fits(after)) continue;
        const std::size_t begin = slash - before;
        const std::size_t end = slash + 1 + after;
        const bool of_host = begin > 0 && message[begin - 1] == ':';  // "nats://10.0.0.1:4222/A"
        const bool alone = !of_host && (begin == 0 || !is_word(message[begin - 1])) &&
                           (end == message.size() || !is_word(message[end]));
        if (alone) return message.substr(begin, end - begin);
    }
    return {};
}

std::string_view table_in(std::string_view message) {
    constexpr std::string_view word = "table '";
    const std::size_t at = message.find(word);
    if (at == std::string_view::npos || (at > 0 && is_word(message[at - 1]))) return {};
    const std::string_view rest = message.substr(at + word.size());
    const std::size_t end = rest.find('\'');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

}  // namespace pgsluice
