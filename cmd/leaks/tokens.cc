#include "cmd/leaks/tokens.h"

#include <random>

#include "stream/base/ascii.h"

namespace pgsluice {
namespace {

constexpr std::uint64_t prime = (1ULL << 61) - 1;

__extension__ using Wide = unsigned __int128;

std::uint64_t reduced(Wide product) {
    std::uint64_t sum = static_cast<std::uint64_t>(product & prime) + static_cast<std::uint64_t>(product >> 61);
    return sum >= prime ? sum - prime : sum;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}

}  // namespace

HashKey HashKey::random() {
    std::random_device device;
    const auto draw = [&] { return (static_cast<std::uint64_t>(device()) << 32 | device()) % (prime - 1'000'000); };
    return {draw() + 1'000'000, draw()};
}

void WindowHash::add(std::string_view word) {
    for (const char c : word)
        hash_ = reduced(static_cast<Wide>(hash_) * key_.base + static_cast<unsigned char>(ascii_lower(c)));
}

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    bool open = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = is_digit(c);
        const bool letter = is_letter(c);
        if (!digit && !letter) {
            const bool within =
                c == '.' && open && is_digit(text[i - 1]) && i + 1 < text.size() && is_digit(text[i + 1]);
            open = within;
            continue;
        }
        if (!open) tokens.push_back({i, i, false, false});
        open = true;
        Token& token = tokens.back();
        token.end = i + 1;
        token.letters = token.letters || letter;
        token.digits = token.digits || digit;
    }
    return tokens;
}

}  // namespace pgsluice
