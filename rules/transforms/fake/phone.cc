// phone: other digits in the same form. A country's code after + or 00, and zeros at the beginning, stay.
#include "rules/transforms/fake/characters.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

// Digits of the country code that the number begins with (ITU-T E.164): 1 and 7 have one, half of the others two.
std::size_t country_digits(std::string_view digits) {
    constexpr std::string_view of_two =
        "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 "
        "60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
    if (digits.starts_with('1') || digits.starts_with('7')) return 1;
    return of_two.find(digits.substr(0, 2)) != std::string_view::npos ? 2 : 3;
}

// How many bytes at the beginning stay.
std::size_t prefix_of(std::string_view text) {
    const std::size_t code = text.starts_with('+') ? 1 : text.starts_with("00") ? 2 : 0;
    if (code > 0) {
        const std::string_view number = text.substr(code);
        const std::size_t digits = country_digits(number);
        const bool whole = number.size() > digits && number.find_first_not_of("0123456789") >= digits;
        return whole ? code + digits : code;
    }
    return std::min(text.find_first_not_of("0("), text.size());
}

class Phone : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    bool reads_text() const override { return true; }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*form*/, std::string& out) const override {
        const std::size_t kept = prefix_of(text);
        out += text.substr(0, kept);
        append_other_characters(draw, text.substr(kept), out);
    }
    std::string describe() const override { return "another phone number"; }
};

}  // namespace

std::unique_ptr<Transform> make_phone(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("phone", std::make_unique<Phone>(), parameters, defaults);
}

}  // namespace pgsluice::rules
