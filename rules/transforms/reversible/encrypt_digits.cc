// encrypt_digits, encrypt_number: format-preserving encryption of digits (FF1).
#include <fmt/format.h>

#include <cstdint>
#include <memory>

#include "rules/transforms/keyed/recipe.h"
#include "rules/transforms/reversible/ff1.h"
#include "rules/transforms/reversible/key.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

struct KeyedFf1 {
    Ff1 ff1;
    std::string proof;
};
using SharedFf1 = std::shared_ptr<const KeyedFf1>;

SharedFf1 keyed_ff1(std::string_view transform, Fields& parameters, const TransformDefaults& defaults) {
    constexpr std::size_t aes_256 = 32;
    const CipherKey key(transform, parameters, defaults);
    return std::make_shared<const KeyedFf1>(KeyedFf1{Ff1(std::string_view(key.bytes).substr(0, aes_256)), key.proof});
}

using Crypt = void (Ff1::*)(std::string& digits) const;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reversible : public Transform {
   public:
    explicit Reversible(SharedFf1 keyed) : keyed_(std::move(keyed)) {}

    bool keeps_distinct(ValueType /*type*/) const override { return true; }
    bool reads_text() const override { return false; }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        return Value(arena.copy(crypt(text, &Ff1::encrypt)));
    }
    std::optional<std::string> undone(std::string_view result) const override { return crypt(result, &Ff1::decrypt); }
    std::string meaning() const override { return fmt::format("{} {}", describe(), keyed_->proof); }

   protected:
    [[nodiscard]] const Ff1& ff1() const { return keyed_->ff1; }

   private:
    [[nodiscard]] virtual std::string crypt(std::string_view text, Crypt way) const = 0;

    SharedFf1 keyed_;
};

// The digits of a text; all else stays where it is.
class EncryptDigits : public Reversible {
   public:
    using Reversible::Reversible;

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    std::string describe() const override { return "encrypt digits (FF1)"; }

   private:
    [[nodiscard]] std::string crypt(std::string_view text, Crypt way) const override {
        std::string digits;
        for (const char c : text)
            if (is_digit(c)) digits += c;
        if (digits.size() < Ff1::least_digits || digits.size() > Ff1::most_digits)
            throw Unreadable{fmt::format("it does not have {} to {} digits", Ff1::least_digits, Ff1::most_digits)};
        (ff1().*way)(digits);
        std::string out(text);
        auto next = digits.begin();
        for (char& c : out)
            if (is_digit(c)) c = *next++;
        return out;
    }
};

// What a number becomes is of the same range, so that it fits an integer if the number does, and the same in columns of
// either type: foreign keys keep matching.
struct NumberRange {
    std::uint64_t least;
    std::uint64_t below;
    std::size_t digits;
};
constexpr NumberRange ranges[] = {{0, 1'000'000'000, 9},
                                  {1'000'000'000, std::uint64_t{1} << 31, 10},
                                  {std::uint64_t{1} << 31, 1'000'000'000'000'000'000, 18}};

constexpr const char* unfit_number = "it is not a whole number of 18 digits at most";

class EncryptNumber : public Reversible {
   public:
    using Reversible::Reversible;

    std::string unfit(const Column& column, ValueType type) const override {
        const ColumnForm form = ColumnForm::of(column, type);
        const bool integer = form.oid == 23 || form.oid == 20;
        const bool numeric = form.oid == 1700 && form.scale == 0 && (form.precision == 0 || form.precision >= 18);
        return integer || numeric ? std::string{} : takes("integer, bigint, and numeric of 18 digits or more", column);
    }
    std::string describe() const override { return "encrypt number (FF1)"; }

   private:
    // Below 0, by how much it is below -1: so 0 has no sign.
    [[nodiscard]] std::string crypt(std::string_view text, Crypt way) const override {
        const bool negative = text.starts_with('-');
        const std::uint64_t shift = negative ? 1 : 0;
        const std::uint64_t number = parse(text.substr(shift));
        for (const NumberRange& range : ranges)
            if (number >= shift && number - shift < range.below)
                return fmt::format("{}{}", negative ? "-" : "", crypt_in(range, number - shift, way) + shift);
        throw Unreadable{unfit_number};
    }

    static std::uint64_t parse(std::string_view digits) {
        std::uint64_t number = 0;
        if (digits.empty() || digits.size() > 19) throw Unreadable{unfit_number};
        for (const char c : digits) {
            if (!is_digit(c)) throw Unreadable{unfit_number};
            number = number * 10 + static_cast<std::uint64_t>(c - '0');
        }
        return number;
    }

    // Again until it is of the range: so what is in it is permuted.
    [[nodiscard]] std::uint64_t crypt_in(const NumberRange& range, std::uint64_t number, Crypt way) const {
        do {
            std::string digits = fmt::format("{:0{}}", number, range.digits);
            (ff1().*way)(digits);
            number = parse(digits);
        } while (number < range.least || number >= range.below);
        return number;
    }
};

}  // namespace

std::unique_ptr<Transform> make_encrypt_digits(Fields& parameters, const TransformDefaults& defaults) {
    return std::make_unique<EncryptDigits>(keyed_ff1("encrypt_digits", parameters, defaults));
}
std::unique_ptr<Transform> make_encrypt_number(Fields& parameters, const TransformDefaults& defaults) {
    return std::make_unique<EncryptNumber>(keyed_ff1("encrypt_number", parameters, defaults));
}

}  // namespace pgsluice::rules
