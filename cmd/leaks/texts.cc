#include "cmd/leaks/texts.h"

#include <charconv>
#include <string>

#include "rules/values/leaves.h"

namespace pgsluice {
namespace {

constexpr int deepest = 3;  // JSON as a string within JSON

using Use = std::function<void(std::string_view)>;

// False where the two characters at `at` are no hex digits.
bool take_byte(std::string_view text, std::size_t at, std::string& out) {
    if (at + 2 > text.size()) return false;
    unsigned byte = 0;
    const char* end = text.data() + at + 2;
    const auto read = std::from_chars(text.data() + at, end, byte, 16);
    if (read.ptr != end || read.ec != std::errc{}) return false;
    out += static_cast<char>(byte);
    return true;
}

void use_decoded_url(std::string_view text, const Use& use) {
    if (text.find('%') == std::string_view::npos) return;
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && take_byte(text, i + 1, decoded)) {
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    use(decoded);
}

bool may_be_json(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

void use_text(std::string_view text, bool names, int depth, const Use& use) {
    if (depth < deepest && may_be_json(text)) {
        bool whole = rules::each_json_leaf(
            text, [&](std::string_view, std::string_view leaf) { use_text(leaf, names, depth + 1, use); });
        if (whole && names) whole = rules::each_json_name(text, use);
        if (whole) return;
    }
    use(text);
    use_decoded_url(text, use);
}

void use_bytes(std::string_view hex, const Use& use) {
    std::string bytes;
    for (std::size_t i = 2; take_byte(hex, i, bytes); i += 2) continue;
    use(bytes);
}

}  // namespace

void each_text(std::string_view value, rules::ValueType type, bool names, const Use& use) {
    if (type == rules::ValueType::json) return use_text(value, names, 0, use);
    if (type == rules::ValueType::bytea && value.starts_with("\\x")) return use_bytes(value, use);
    if (type == rules::ValueType::array &&
        rules::each_array_element(value, [&](std::string_view element) { use_text(element, names, 1, use); }))
        return;
    use_text(value, names, 0, use);
}

}  // namespace pgsluice
