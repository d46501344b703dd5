#include "rules/transforms/mask_preset.h"

#include <fmt/format.h>

#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Of the alphabet, or the first byte of one that is not in ASCII.
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) >= 0x80);
}
bool is_sign(char c) { return !is_digit(c) && !is_letter(c); }

void keep_signs(std::string_view text, Kept& kept) {
    for (std::size_t i = 0; i < text.size(); ++i) kept[i] = is_sign(text[i]);
}

// The last `count` digits, and letters too where they count; none where fewer than `least` are there.
void keep_last(std::string_view text, Kept& kept, std::size_t count, std::size_t least, bool letters) {
    const auto counts = [&](char c) { return !is_continuation(c) && (is_digit(c) || (letters && is_letter(c))); };
    std::size_t all = 0;
    for (const char c : text) all += counts(c) ? 1 : 0;
    if (all < least) return;
    for (std::size_t i = text.size(); i > 0 && count > 0; --i) {
        if (!counts(text[i - 1])) continue;
        kept[i - 1] = true;
        --count;
    }
}

// "Anna Maria Keller": A*** M**** K*****
void mark_name(std::string_view text, Kept& kept) {
    keep_signs(text, kept);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (is_letter(text[i]) && !is_continuation(text[i]) && (i == 0 || is_sign(text[i - 1]))) kept[i] = true;
}

// "anna.keller@example.com": a**********@example.com. Without an at sign nothing stays.
void mark_email(std::string_view text, Kept& kept) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos) return;
    if (at > 2) kept[0] = true;
    for (std::size_t i = at; i < text.size(); ++i) kept[i] = true;
}

// "+49 30 123 456": +** ** *** *56
void mark_phone(std::string_view text, Kept& kept) {
    keep_signs(text, kept);
    keep_last(text, kept, 2, 6, false);
}

// "12 Long Lane, 10115 Berlin": ** L*** L***, ***** B*****
void mark_address(std::string_view text, Kept& kept) { mark_name(text, kept); }

// "AB-12-345678": **-**-**5678
void mark_id(std::string_view text, Kept& kept) {
    keep_signs(text, kept);
    keep_last(text, kept, 4, 8, true);
}

// "4111 1111 1111 1234": **** **** **** 1234
void mark_card(std::string_view text, Kept& kept) {
    keep_signs(text, kept);
    keep_last(text, kept, 4, 12, false);
}

// "https://anna:pw@example.com/p?q=1": https://*******@example.com/*****
void mark_url(std::string_view text, Kept& kept) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return;
    const std::size_t authority = scheme + 3;
    const std::size_t end = std::min(text.find_first_of("/?#", authority), text.size());
    const std::size_t user = text.substr(0, end).rfind('@');
    const std::size_t host = user == std::string_view::npos || user < authority ? authority : user;
    for (std::size_t i = 0; i < authority; ++i) kept[i] = true;
    for (std::size_t i = host; i < end; ++i) kept[i] = true;
    for (std::size_t i = end; i < text.size(); ++i) kept[i] = text[i] == '/';
}

constexpr MaskPreset presets[] = {
    {"name", mark_name}, {"email", mark_email}, {"phone", mark_phone}, {"address", mark_address},
    {"id", mark_id},     {"card", mark_card},   {"url", mark_url},
};

}  // namespace

const MaskPreset* find_mask_preset(std::string_view name) {
    for (const MaskPreset& preset : presets)
        if (preset.name == name) return &preset;
    return nullptr;
}

std::string mask_preset_names() {
    std::string names;
    for (const MaskPreset& preset : presets) names += fmt::format("{}{}", names.empty() ? "" : ", ", preset.name);
    return names;
}

}  // namespace pgsluice::rules
