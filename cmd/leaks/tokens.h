// A text as words of letters and digits, and keyed hashes of words that follow each other: what is looked for is known
// by these alone.
//
// Words are put together without what is between them, so that `+49 (30) 901-820` is found as 4930901820, too; letters
// of ASCII in lower case. A dot between digits is part of a word: 203.0.113.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pgsluice {

// Of one run of the program, and random.
struct HashKey {
    std::uint64_t base = 0;
    std::uint64_t mask = 0;

    static HashKey random();
};

struct Token {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool letters = false;  // holds a letter
    bool digits = false;   // holds a digit
};

constexpr std::size_t most_tokens = 8;  // that one hash is of

std::vector<Token> tokens_of(std::string_view text);

// A polynomial over the field of 2^61 - 1 at a random place: two texts of n bytes have one hash with a chance of
// n / 2^61.
class WindowHash {
   public:
    explicit WindowHash(const HashKey& key) : key_(key) {}
    void add(std::string_view word);
    [[nodiscard]] std::uint64_t value() const { return hash_ ^ key_.mask; }

   private:
    const HashKey& key_;
    std::uint64_t hash_ = 1;
};

// The hashes of 1, 2, ... most_tokens words from each word on.
template <typename Use>
void each_window(std::string_view text, const HashKey& key, const Use& use) {
    const std::vector<Token> tokens = tokens_of(text);
    for (std::size_t first = 0; first < tokens.size(); ++first) {
        WindowHash hash(key);
        for (std::size_t i = first; i < tokens.size() && i < first + most_tokens; ++i) {
            hash.add(text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin));
            use(hash.value());
        }
    }
}

}  // namespace pgsluice
