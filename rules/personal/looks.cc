#include "rules/personal/looks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <vector>

#include "rules/personal/name_lists.h"
#include "rules/values/check_digits.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }
bool in_host(char c) { return is_digit(c) || is_letter(c) || c == '.' || c == '-'; }
bool in_local(char c) {
    return in_host(c) || (static_cast<unsigned char>(c) & 0x80) != 0 ||
           std::string_view("_+%'!#$&*/=?^`{|}~").find(c) != std::string_view::npos;
}

std::size_t count_digits(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
}

// A host with a dot, and letters after the last one.
bool is_host(std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || !std::ranges::all_of(text, in_host)) return false;
    const std::string_view top = text.substr(dot + 1);
    return top.size() >= 2 && std::ranges::all_of(top, is_letter) && text.find("..") == std::string_view::npos;
}

bool is_ipv4(std::string_view text) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

// Groups of at most four hex digits; eight, or fewer with one "::". Not "::" alone, nor a time.
bool is_ipv6(std::string_view text) {
    const auto colons = std::ranges::count(text, ':');
    const bool shortened = text.find("::") != std::string_view::npos;
    if (text.size() < 4 || colons < 2 || colons > 7 || (!shortened && colons != 7)) return false;
    std::size_t group = 0;
    for (const char c : text) {
        if (c != ':' && !is_hex(c)) return false;
        group = c == ':' ? 0 : group + 1;
        if (group > 4) return false;
    }
    return true;
}

// Visa, Mastercard, Amex, Diners, JCB, Discover, UnionPay.
bool is_of_a_scheme(std::string_view digits) {
    const int two = std::stoi(std::string(digits.substr(0, 2)));
    return digits[0] == '4' || (two >= 51 && two <= 55) || (two >= 22 && two <= 27) || two == 34 || two == 37 ||
           two == 36 || two == 38 || two == 35 || two == 60 || two == 62 || two == 64 || two == 65;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    bool open = false;
    for (const char c : text) {
        if (c == ' ' || c == ',' || c == '.' || c == '-') {
            open = false;
            continue;
        }
        if (!open) words.emplace_back();
        open = true;
        words.back() += ascii_lower(c);
    }
    return words;
}

bool is_street_word(std::string_view word) {
    static constexpr std::string_view whole[] = {
        "street", "st",     "road",  "rd",    "avenue",    "ave",   "lane",    "ln",    "drive",  "dr",    "blvd",
        "court",  "square", "way",   "close", "boulevard", "rue",   "via",     "calle", "plaza",  "platz", "weg",
        "allee",  "chemin", "place", "quai",  "avenida",   "paseo", "terrace", "str",   "strasse"};
    static constexpr std::string_view ends[] = {"straße", "strasse", "str", "weg", "gasse", "platz", "allee", "gatan"};
    return std::ranges::find(whole, word) != std::end(whole) || std::ranges::any_of(ends, [&](std::string_view end) {
               return word.size() > end.size() && word.ends_with(end);
           });
}

}  // namespace

std::string_view only_digits(std::string_view text, char* room) {
    std::size_t count = 0;
    for (const char c : text) {
        if (c == ' ' || c == '-') continue;
        if (!is_digit(c) || count == 32) return {};
        room[count++] = c;
    }
    return {room, count};
}

bool is_email(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at == 0 || text.size() > 254) return false;
    return std::ranges::all_of(text.substr(0, at), in_local) && is_host(text.substr(at + 1));
}

bool holds_email(std::string_view text) {
    for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
        std::size_t end = at + 1;
        while (end < text.size() && in_host(text[end])) ++end;
        while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
        if (at > 0 && in_local(text[at - 1]) && is_host(text.substr(at + 1, end - at - 1))) return true;
    }
    return false;
}

bool is_phone(std::string_view text) {
    const std::size_t digits = count_digits(text);
    if (digits < 7 || digits > 15) return false;
    std::size_t groups = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '+' && i > 0) return false;
        if (!is_digit(c) && std::string_view("+ -/().").find(c) == std::string_view::npos) return false;
        if (is_digit(c) && (i == 0 || !is_digit(text[i - 1]))) ++groups;
    }
    const bool abroad = text[0] == '+' || (text.starts_with("00") && groups > 1);
    const bool bracketed = text.find('(') != std::string_view::npos && text.find(')') != std::string_view::npos;
    // Not a date, and not an ISBN.
    const auto few = [&](char sign) { return std::ranges::count(text, sign) <= 1; };
    const bool grouped =
        text[0] == '0' && groups > 1 && few('-') && few('/') && text.find('.') == std::string_view::npos;
    const bool american = text.size() == 12 && text[3] == '-' && text[7] == '-' && groups == 3;  // 555-123-4567
    return abroad || bracketed || grouped || american;
}

bool is_ip(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

bool is_mac(std::string_view text) {
    if (text.size() != 17 || (text[2] != ':' && text[2] != '-')) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 3 == 2 ? text[i] != text[2] : !is_hex(text[i])) return false;
    return true;
}

bool is_ssn(std::string_view text) {
    if (text.size() != 11 || text[3] != '-' || text[6] != '-' || count_digits(text) != 9) return false;
    const std::string_view area = text.substr(0, 3);
    return area != "000" && area[0] != '9' && text.substr(4, 2) != "00" && text.substr(7) != "0000";
}

bool is_card(std::string_view text) {
    char room[32];
    const std::string_view digits = only_digits(text, room);
    if (digits.size() < 13 || digits.size() > 19 || !is_of_a_scheme(digits)) return false;
    return luhn_digit(digits.substr(0, digits.size() - 1)) == digits.back();
}

bool is_iban(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c == ' ') continue;
        if (!is_digit(c) && !is_letter(c)) return false;
        plain += c;
    }
    if (plain.size() < 15 || plain.size() > 34 || !is_letter(plain[0]) || !is_letter(plain[1])) return false;
    if (!is_digit(plain[2]) || !is_digit(plain[3])) return false;
    return mod_97(plain.substr(4) + plain.substr(0, 4)) == 1;
}

bool is_street(std::string_view text) {
    if (text.size() < 5 || text.size() > 120) return false;
    const std::vector<std::string> words = words_of(text);
    if (words.size() < 2) return in_streets(lower_ascii(text));
    const auto numbered = [](const std::string& word) { return is_digit(word[0]) && word.size() <= 6; };
    const bool number = numbered(words.front()) || numbered(words.back());
    return (number && words.size() <= 8 && std::ranges::any_of(words, is_street_word)) || in_streets(lower_ascii(text));
}

bool is_full_name(std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    if (words.size() < 2 || words.size() > 4) return false;
    return (in_first_names(words.front()) && in_last_names(words.back())) ||
           (in_last_names(words.front()) && in_first_names(words.back()));
}

bool is_first_name(std::string_view text) { return in_first_names(lower_ascii(text)); }
bool is_last_name(std::string_view text) { return in_last_names(lower_ascii(text)); }

}  // namespace pgsluice::rules
