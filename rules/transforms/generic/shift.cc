// shift: a date or timestamp some days earlier or later, never the same day. With `by` all dates of a person move
// alike, so that the time between them stays.
#include <fmt/format.h>

#include "rules/transforms/generic/dated.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr int most_days = 36'500;

class Shift : public Recipe {
   public:
    explicit Shift(int days) : days_(days) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_dates(column, type); }

    void make(Draw& draw, std::string_view text, const ColumnForm& form, std::string& out) const override {
        const std::int64_t drawn = draw.between(1, 2 * days_);
        const std::int64_t days = drawn <= days_ ? -drawn : drawn - days_;
        if (is_infinite(text)) {
            out += text;
            return;
        }
        Dated dated = Dated::parse(text, form.type);
        dated.day += days;
        dated.append_to(out, form.type);
    }
    std::string describe() const override { return fmt::format("shift by up to {} days", days_); }

   private:
    std::int64_t days_;
};

}  // namespace

std::unique_ptr<Transform> make_shift(Fields& parameters, const TransformDefaults& defaults) {
    const auto days = parameters.number("days", 1);
    if (!days) throw refuse(parameters.place(), "'days' is missing");
    if (*days > most_days) throw refuse(parameters.place(), fmt::format("'days' is above {}", most_days));
    return make_keyed("shift", std::make_unique<Shift>(*days), parameters, defaults);
}

}  // namespace pgsluice::rules
