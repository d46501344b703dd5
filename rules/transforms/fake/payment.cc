// credit_card, iban: numbers with a valid check digit.
#include <fmt/format.h>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "rules/values/check_digits.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t card_digits = 16;
constexpr std::size_t bin_digits = 6;
constexpr std::string_view test_bin = "400000";  // of numbers for tests, which no bank gives out

// Digits, and blanks or hyphens between them.
bool is_card(std::string_view text, std::size_t digits) {
    return digits >= 12 && digits <= 19 && text.find_first_not_of("0123456789 -") == std::string_view::npos;
}

class CreditCard : public Recipe {
   public:
    explicit CreditCard(bool keep_bin) : keep_bin_(keep_bin) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*form*/, std::string& out) const override {
        thread_local std::string digits;
        digits.clear();
        for (const char c : text)
            if (c >= '0' && c <= '9') digits += c;
        const bool card = is_card(text, digits.size());
        const std::size_t count = card ? digits.size() : card_digits;
        if (card && keep_bin_)
            digits.resize(bin_digits);
        else
            digits = test_bin;
        draw.append_digits(digits, count - bin_digits - 1);
        digits += luhn_digit(digits);
        if (!card) {
            out += digits;
            return;
        }
        std::size_t next = 0;
        for (const char c : text) out += c >= '0' && c <= '9' ? digits[next++] : c;
    }
    std::string describe() const override {
        return keep_bin_ ? "made-up card number of the same bank" : "made-up card number";
    }

   private:
    bool keep_bin_;
};

// What follows the check digits: the bank's letters, then digits (SWIFT, IBAN registry).
struct IbanForm {
    std::string_view country;
    std::size_t letters;
    std::size_t digits;
};
constexpr IbanForm iban_forms[] = {
    {"DE", 0, 18}, {"AT", 0, 16}, {"BE", 0, 12}, {"CH", 0, 17}, {"CZ", 0, 20}, {"DK", 0, 14},
    {"EE", 0, 16}, {"ES", 0, 20}, {"FI", 0, 14}, {"FR", 0, 23}, {"GB", 4, 14}, {"HR", 0, 17},
    {"HU", 0, 24}, {"IE", 4, 14}, {"LT", 0, 16}, {"NL", 4, 10}, {"NO", 0, 11}, {"PL", 0, 24},
    {"PT", 0, 21}, {"SE", 0, 20}, {"SI", 0, 15}, {"SK", 0, 20},
};

const IbanForm* find_iban_form(std::string_view country) {
    for (const IbanForm& form : iban_forms)
        if (form.country == country) return &form;
    return nullptr;
}

// Of "BBAN, country, 00".
int iban_check(std::string_view bban, std::string_view country) {
    return 98 - mod_97("00", mod_97(country, mod_97(bban)));
}

class Iban : public Recipe {
   public:
    explicit Iban(const IbanForm* form) : form_(form) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    std::size_t longest() const override { return form_ == nullptr ? 0 : 4 + form_->letters + form_->digits; }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*column*/, std::string& out) const override {
        const IbanForm* form = form_ != nullptr ? form_ : find_iban_form(text.substr(0, 2));
        if (form == nullptr) form = &iban_forms[0];
        thread_local std::string bban;
        bban.clear();
        draw.append_of(bban, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", form->letters);
        draw.append_digits(bban, form->digits);
        out += fmt::format("{}{:02}", form->country, iban_check(bban, form->country));
        out += bban;
    }
    std::string describe() const override {
        return fmt::format("made-up IBAN of {}", form_ == nullptr ? "the same country" : form_->country);
    }

   private:
    const IbanForm* form_;  // null: the value's country
};

}  // namespace

std::unique_ptr<Transform> make_credit_card(Fields& parameters, const TransformDefaults& defaults) {
    const bool keep_bin = parameters.flag("keep_bin", false);
    return make_keyed("credit_card", std::make_unique<CreditCard>(keep_bin), parameters, defaults);
}

std::unique_ptr<Transform> make_iban(Fields& parameters, const TransformDefaults& defaults) {
    const auto country = parameters.text("country");
    const IbanForm* form = country ? find_iban_form(*country) : nullptr;
    if (country && form == nullptr)
        throw refuse(parameters.place(), fmt::format("the form of an IBAN of '{}' is not known", *country),
                     "Leave 'country' out to keep each value's own.");
    return make_keyed("iban", std::make_unique<Iban>(form), parameters, defaults);
}

}  // namespace pgsluice::rules
