// month, weekday: a name, or a number in a column of numbers. year.
#include <fmt/format.h>

#include <algorithm>

#include "rules/transforms/fake/locale.h"
#include "rules/transforms/generic/number_form.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

constexpr int first_year = 1970;
constexpr int last_year = 2025;
constexpr int greatest_year = 9999;

// A text, or a number up to `most`.
std::string takes_text_or_number(const Column& column, ValueType type, int most) {
    if (is_text(type)) return {};
    if (type != ValueType::number) return takes("text or numbers", column);
    if (std::string reason = takes_number(column, type); !reason.empty()) return reason;
    if (holds_range(ColumnForm::of(column, type), {1, 0}, {most, 0}, 0)) return {};
    return fmt::format("it makes numbers up to {}, which are out of the range of {}", most, column.type_name);
}

// The numbers are those of ISO 8601: Monday is 1.
class NamedDate : public Recipe {
   public:
    NamedDate(std::string_view name, const WordList& names, std::string_view locale)
        : name_(name), names_(names), locale_(locale) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return takes_text_or_number(column, type, static_cast<int>(names_.all().size()));
    }
    std::size_t longest() const override {
        std::size_t most = 0;
        for (const std::string_view one : names_.all()) most = std::max(most, count_characters(one));
        return most;
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        const std::size_t drawn = draw.below(names_.all().size());
        if (form.type == ValueType::number)
            return append_number(out, {static_cast<Decimal::Digits>(drawn + 1), 0}, form);
        out += names_.all()[drawn];
    }
    std::string describe() const override { return fmt::format("made-up {} ({})", name_, locale_); }

   private:
    std::string_view name_;
    const WordList& names_;
    std::string_view locale_;
};

class Year : public Recipe {
   public:
    Year(int least, int most) : least_(least), most_(most) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return takes_text_or_number(column, type, most_);
    }
    std::size_t longest() const override { return fmt::format("{}", most_).size(); }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        const Decimal year{draw.between(least_, most_), 0};
        if (form.type == ValueType::number) return append_number(out, year, form);
        year.append_to(out);
    }
    std::string describe() const override { return fmt::format("a year from {} to {}", least_, most_); }

   private:
    int least_;
    int most_;
};

}  // namespace

std::unique_ptr<Transform> make_month(Fields& parameters, const TransformDefaults& defaults) {
    const Locale& locale = read_locale(parameters, defaults);
    return make_keyed("month", std::make_unique<NamedDate>("month", locale.months, locale.name), parameters, defaults);
}
std::unique_ptr<Transform> make_weekday(Fields& parameters, const TransformDefaults& defaults) {
    const Locale& locale = read_locale(parameters, defaults);
    return make_keyed("weekday", std::make_unique<NamedDate>("weekday", locale.weekdays, locale.name), parameters,
                      defaults);
}
std::unique_ptr<Transform> make_year(Fields& parameters, const TransformDefaults& defaults) {
    const int least = parameters.number("min", 1).value_or(first_year);
    const int most = parameters.number("max", 1).value_or(last_year);
    if (least > most || most > greatest_year)
        throw refuse(parameters.place(), "no year of four digits is between 'min' and 'max'");
    return make_keyed("year", std::make_unique<Year>(least, most), parameters, defaults);
}

}  // namespace pgsluice::rules
