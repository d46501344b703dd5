#include "rules/ddl/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

using Kind = SqlToken::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool starts_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool in_word(char c) { return starts_word(c) || is_digit(c) || c == '$'; }

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

class Scanner {
   public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::vector<SqlToken> scan() {
        while (skip_space()) take();
        return std::move(tokens_);
    }

   private:
    [[nodiscard]] char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

    bool skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        return at_ < text_.size();
    }

    void add(Kind kind, std::size_t end) {
        end = std::min(end, text_.size());
        tokens_.push_back({kind, text_.substr(at_, end - at_)});
        at_ = end;
    }

    void take() {
        const char c = text_[at_];
        if (c == '\'') return add(Kind::literal, string_end(at_ + 1, '\'', false));
        if (c == '"') return add(Kind::quoted, string_end(at_ + 1, '"', false));
        if (c == '-' && at(at_ + 1) == '-') return add(Kind::comment, text_.find_first_of("\r\n", at_));
        if (c == '/' && at(at_ + 1) == '*') return add(Kind::comment, comment_end());
        if (c == '$') return take_dollar();
        if (is_digit(c) || (c == '.' && is_digit(at(at_ + 1)))) return add(Kind::literal, number_end());
        if (starts_word(c)) return take_word();
        add(Kind::other, at_ + 1);
    }

    // After the closing quote. A doubled quote does not close; with `escapes` neither does one after a backslash. A
    // string continues after white space that holds a newline.
    [[nodiscard]] std::size_t string_end(std::size_t i, char quote, bool escapes) const {
        for (; i < text_.size(); ++i) {
            if (escapes && text_[i] == '\\') {
                ++i;
            } else if (text_[i] == quote) {
                const std::size_t next = at(i + 1) == quote ? i + 1 : quote == '\'' ? continuation(i + 1) : 0;
                if (next == 0) return i + 1;
                i = next;
            }
        }
        return text_.size();
    }

    // Where the string that was closed before `i` opens again; 0 when it does not. Comments count as white space.
    [[nodiscard]] std::size_t continuation(std::size_t i) const {
        bool newline = false;
        for (; i < text_.size(); ++i) {
            if (at(i) == '-' && at(i + 1) == '-') i = std::min(text_.find_first_of("\r\n", i), text_.size());
            if (at(i) == '\'' && newline) return i;
            if (!is_space(at(i))) return 0;
            newline = newline || at(i) == '\n' || at(i) == '\r';
        }
        return 0;
    }

    [[nodiscard]] std::size_t comment_end() const {
        std::size_t i = at_ + 2;
        for (int depth = 1; i < text_.size() && depth > 0;) {
            const bool opens = at(i) == '/' && at(i + 1) == '*';
            const bool closes = at(i) == '*' && at(i + 1) == '/';
            depth += opens ? 1 : closes ? -1 : 0;
            i += opens || closes ? 2 : 1;
        }
        return i;
    }

    // 1, 1.5, .5, 1e-5, 0xff, 1_000; takes the letters after it too, so that nothing of a number is left over.
    [[nodiscard]] std::size_t number_end() const {
        std::size_t i = at_;
        while (i < text_.size()) {
            const bool exponent = (at(i) == 'e' || at(i) == 'E') && (at(i + 1) == '+' || at(i + 1) == '-');
            if (exponent) {
                i += 2;
            } else if (in_word(at(i)) || at(i) == '.') {
                ++i;
            } else {
                break;
            }
        }
        return i;
    }

    void take_dollar() {
        std::size_t i = at_ + 1;
        if (starts_word(at(i)))
            while (in_word(at(i)) && at(i) != '$') ++i;
        if (is_digit(at(at_ + 1))) return add(Kind::literal, number_end());
        if (at(i) != '$') return add(Kind::other, at_ + 1);
        const std::string_view mark = text_.substr(at_, i + 1 - at_);
        const std::size_t close = text_.find(mark, i + 1);
        add(Kind::literal, close == std::string_view::npos ? text_.size() : close + mark.size());
    }

    void take_word() {
        std::size_t i = at_;
        while (in_word(at(i))) ++i;
        const std::string_view word = text_.substr(at_, i - at_);
        const bool prefix = word.size() == 1 && std::string_view("eEbBxXnN").find(word[0]) != std::string_view::npos;
        if (prefix && at(i) == '\'') return add(Kind::literal, string_end(i + 1, '\'', ascii_lower(word[0]) == 'e'));
        if (same_word(word, "u") && at(i) == '&' && (at(i + 1) == '\'' || at(i + 1) == '"'))
            return add(at(i + 1) == '"' ? Kind::quoted : Kind::literal, string_end(i + 2, at(i + 1), false));
        add(Kind::word, i);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<SqlToken> tokens_;
};

constexpr std::array<std::string_view, 15> types_with_length{
    "varchar", "char",  "character", "varying", "bpchar",    "bit",         "numeric", "decimal",
    "dec",     "float", "time",      "nchar",   "timestamp", "timestamptz", "interval"};

// Words that are values.
constexpr std::array<std::string_view, 9> value_words{"true",         "false",           "user",
                                                      "current_user", "session_user",    "current_role",
                                                      "system_user",  "current_catalog", "current_schema"};

bool is_value_word(const SqlToken& token) {
    return token.kind == Kind::word && std::any_of(value_words.begin(), value_words.end(),
                                                   [&](std::string_view word) { return same_word(word, token.text); });
}

bool is_other(const SqlToken& token, char c) { return token.kind == Kind::other && token.text[0] == c; }

bool has_length(const SqlToken& token) {
    return token.kind == Kind::word && std::any_of(types_with_length.begin(), types_with_length.end(),
                                                   [&](std::string_view type) { return same_word(type, token.text); });
}

// For each token, whether it is a literal that may be a value.
std::vector<bool> value_literals(const std::vector<SqlToken>& tokens) {
    std::vector<bool> values(tokens.size(), false);
    bool in_length = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_other(tokens[i], '(')) in_length = i > 0 && has_length(tokens[i - 1]);
        if (is_other(tokens[i], ')')) in_length = false;
        if (tokens[i].kind == Kind::literal) values[i] = !in_length || !is_digit(tokens[i].text[0]);
        const bool qualified = i > 0 && is_other(tokens[i - 1], '.');
        if (!qualified && is_value_word(tokens[i])) values[i] = true;
    }
    return values;
}

}  // namespace

std::vector<SqlToken> sql_tokens(std::string_view text) { return Scanner(text).scan(); }

std::string identifier_name(const SqlToken& token) {
    std::string name;
    if (token.kind != Kind::quoted) {
        for (const char c : token.text) name += ascii_lower(c);
        return name;
    }
    const std::size_t open = token.text.find('"') + 1;
    for (std::size_t i = open; i + 1 < token.text.size(); ++i) {
        name += token.text[i];
        if (token.text[i] == '"') ++i;
    }
    return name;
}

bool is_statement(const std::vector<SqlToken>& tokens, std::string_view tag) {
    constexpr int longest_start = 5;
    int words = 0;
    bool ended = false;
    std::string_view wanted = tag;
    for (const SqlToken& token : tokens) {
        if (token.kind == Kind::comment) continue;
        if (ended && !is_other(token, ';')) return false;
        if (is_other(token, ';')) ended = true;
        if (wanted.empty() || words == longest_start) continue;
        ++words;
        const std::string_view next = wanted.substr(0, wanted.find(' '));
        if (token.kind == Kind::word && same_word(token.text, next)) {
            wanted.remove_prefix(std::min(wanted.size(), next.size() + 1));
        } else if (words == 1 || token.kind != Kind::word) {
            return false;
        }
    }
    return wanted.empty();
}

bool is_doubtful(const std::vector<SqlToken>& tokens) {
    return std::any_of(tokens.begin(), tokens.end(), [](const SqlToken& token) {
        const char start = token.kind == Kind::literal ? ascii_lower(token.text[0]) : 'e';
        return start != 'e' && start != 'u' && start != '$' && token.text.find('\\') != std::string_view::npos;
    });
}

bool has_literals(const std::vector<SqlToken>& tokens) {
    const auto values = value_literals(tokens);
    return std::find(values.begin(), values.end(), true) != values.end();
}

std::string without_literals(std::string_view text) {
    const auto tokens = sql_tokens(text);
    const auto values = value_literals(tokens);
    std::string out;
    const char* end = nullptr;  // of what was written last
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const SqlToken& token = tokens[i];
        if (token.kind == Kind::comment) continue;
        if (end != nullptr && token.text.data() != end) out += ' ';
        out += values[i] ? std::string_view("?") : token.text;
        end = token.text.data() + token.text.size();
    }
    return out;
}

}  // namespace pgsluice::rules
