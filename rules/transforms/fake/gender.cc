// gender: a word of the locale, or its first letter for a value of one.
#include <fmt/format.h>

#include "rules/transforms/fake/locale.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

class Gender : public Recipe {
   public:
    explicit Gender(const Locale& locale) : locale_(locale) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    void make(Draw& draw, std::string_view text, const ColumnForm& form, std::string& out) const override {
        const bool letter = text.size() == 1 || form.most == 1;
        const std::string_view word = locale_.genders.one(draw);
        out += letter ? word.substr(0, 1) : word;
        if (!text.empty() && is_upper(text[0])) out[0] = static_cast<char>(out[0] - 'a' + 'A');
    }
    std::string describe() const override { return fmt::format("made-up gender ({})", locale_.name); }

   private:
    const Locale& locale_;
};

}  // namespace

std::unique_ptr<Transform> make_gender(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("gender", std::make_unique<Gender>(read_locale(parameters, defaults)), parameters, defaults);
}

}  // namespace pgsluice::rules
