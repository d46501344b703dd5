// digits, characters: others of the same kind in the same form. pattern: a text of a form that the rule gives.
#include <fmt/format.h>

#include "rules/transforms/fake/characters.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

class OtherDigits : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*form*/, std::string& out) const override {
        for (const char c : text) out += c >= '0' && c <= '9' ? draw.of("0123456789") : c;
    }
    std::string describe() const override { return "other digits"; }
};

class OtherCharacters : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    bool reads_text() const override { return true; }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*form*/, std::string& out) const override {
        append_other_characters(draw, text, out);
    }
    std::string describe() const override { return "other letters and digits"; }
};

class Pattern : public Recipe {
   public:
    explicit Pattern(std::string pattern) : pattern_(std::move(pattern)) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    std::size_t longest() const override {
        std::size_t characters = 0;
        for (std::size_t i = 0; i < pattern_.size(); ++i, ++characters) {
            if (pattern_[i] == '\\') ++i;
            while (i + 1 < pattern_.size() && is_continuation(pattern_[i + 1])) ++i;
        }
        return characters;
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        for (std::size_t i = 0; i < pattern_.size(); ++i) {
            if (pattern_[i] == '\\') {
                out += pattern_[++i];
            } else {
                append(draw, pattern_[i], out);
            }
        }
    }
    std::string describe() const override { return fmt::format("a text like '{}'", pattern_); }

   private:
    static void append(Draw& draw, char c, std::string& out) {
        switch (c) {
            case '#':
                out += draw.of("0123456789");
                break;
            case 'A':
                out += draw.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
                break;
            case 'a':
                out += draw.of("abcdefghijklmnopqrstuvwxyz");
                break;
            case '*':
                out += draw.of("abcdefghijklmnopqrstuvwxyz0123456789");
                break;
            default:
                out += c;
        }
    }

    std::string pattern_;
};

}  // namespace

std::unique_ptr<Transform> make_digits(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("digits", std::make_unique<OtherDigits>(), parameters, defaults);
}
std::unique_ptr<Transform> make_characters(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("characters", std::make_unique<OtherCharacters>(), parameters, defaults);
}
std::unique_ptr<Transform> make_pattern(Fields& parameters, const TransformDefaults& defaults) {
    std::string pattern = parameters.required_text("pattern");
    const std::size_t signs = pattern.find_last_not_of('\\') + 1;
    if (!is_utf8(pattern) || (pattern.size() - signs) % 2 != 0)
        throw refuse(parameters.place(), "'pattern' is not valid UTF-8, or ends in the middle of \\x");
    return make_keyed("pattern", std::make_unique<Pattern>(std::move(pattern)), parameters, defaults);
}

}  // namespace pgsluice::rules
