// JSON (RFC 8259) as text with places: what a rewriter needs that leaves every byte it does not replace as it was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// Walks over a text from token to token. Every function throws Unreadable where the text is not JSON.
class JsonCursor {
   public:
    explicit JsonCursor(std::string_view text) : text_(text) {}

    // The next character that is not white space, which it does not take; '\0' at the end.
    char peek();
    // Takes it if it is `c`.
    bool skip(char c);
    void expect(char c);
    // With its quotes; escapes as they are.
    std::string_view string();
    // A number, true, false or null.
    std::string_view scalar();
    // A whole value, however deep; within objects and arrays only quotes and brackets are looked at.
    void skip_value();
    void expect_end();
    // Where the next token starts.
    std::size_t at() {
        peek();
        return at_;
    }
    [[nodiscard]] std::size_t end_of_last() const { return at_; }

   private:
    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_json(std::string_view text);
// `token` with quotes; `out` is replaced. A lone surrogate becomes U+FFFD.
void decode_json_string(std::string_view token, std::string& out);

}  // namespace pgsluice::rules
