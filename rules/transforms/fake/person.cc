// ssn, date_of_birth.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "rules/values/calendar.h"
#include "rules/values/moment.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t ssn_characters = 11;

// Of area 666, which the United States never give out; with or without hyphens, as the value is.
class Ssn : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    void make(Draw& draw, std::string_view text, const ColumnForm& form, std::string& out) const override {
        const bool plain = text.find('-') == std::string_view::npos || (form.most > 0 && form.most < ssn_characters);
        const std::uint64_t group = 1 + draw.below(99);
        const std::uint64_t serial = 1 + draw.below(9999);
        const char* const hyphen = plain ? "" : "-";
        fmt::format_to(std::back_inserter(out), "666{}{:02}{}{:04}", hyphen, group, hyphen, serial);
    }
    std::size_t longest() const override { return ssn_characters - 2; }
    std::string describe() const override { return "made-up SSN"; }
};

// Another day of the same `band` of years.
class DateOfBirth : public Recipe {
   public:
    explicit DateOfBirth(int band) : band_(band) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return type == ValueType::date ? std::string{} : takes("dates", column);
    }
    void make(Draw& draw, std::string_view text, const ColumnForm& /*form*/, std::string& out) const override {
        const Moment born = Moment::parse(text, false);
        const bool infinite = text.find("infinity") != std::string_view::npos;
        const CivilDay civil = infinite ? CivilDay{0, 1, 1} : civil_from_days(born.day);
        if (civil.year < band_) throw Unreadable{"it is not a date of birth"};
        const std::int64_t year = civil.year - civil.year % band_;
        append_date(out, draw.between(days_from_civil({year, 1, 1}), days_from_civil({year + band_, 1, 1}) - 1));
    }
    std::string describe() const override { return fmt::format("another date of birth within {} years", band_); }

   private:
    std::int64_t band_;
};

}  // namespace

std::unique_ptr<Transform> make_ssn(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("ssn", std::make_unique<Ssn>(), parameters, defaults);
}

std::unique_ptr<Transform> make_date_of_birth(Fields& parameters, const TransformDefaults& defaults) {
    const int band = parameters.number("band", 1).value_or(5);
    if (band > 100) throw refuse(parameters.place(), "'band' is above 100");
    return make_keyed("date_of_birth", std::make_unique<DateOfBirth>(band), parameters, defaults);
}

}  // namespace pgsluice::rules
