#include "rules/transforms/fake/characters.h"

#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

char other(Draw& draw, char c) {
    if (c >= '0' && c <= '9') return draw.of("0123456789");
    if (c >= 'A' && c <= 'Z') return draw.of(upper);
    const bool letter = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    return letter ? draw.of(lower) : c;
}

}  // namespace

void append_other_characters(Draw& draw, std::string_view text, std::string& out) {
    for (const char c : text)
        if (!is_continuation(c)) out += other(draw, c);
}

}  // namespace pgsluice::rules
