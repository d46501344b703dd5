// latitude, longitude: in degrees with 6 decimals (11 cm), or as many as the column has.
#include <fmt/format.h>

#include <algorithm>

#include "rules/transforms/generic/number_form.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr int decimals = 6;

class Coordinate : public Recipe {
   public:
    Coordinate(std::string_view name, int most) : name_(name), most_(most) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (is_text(type)) return {};
        if (type != ValueType::number) return takes("text or numbers", column);
        if (std::string reason = takes_number(column, type); !reason.empty()) return reason;
        if (holds_range(ColumnForm::of(column, type), {-most_, 0}, {most_, 0}, decimals)) return {};
        return fmt::format("it makes numbers from -{} to {}, which are out of the range of {}", most_, most_,
                           column.type_name);
    }
    std::size_t longest() const override { return most_ < 100 ? 10 : 11; }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        const bool number = form.type == ValueType::number;
        const int scale = number ? std::min(scale_in(form, decimals), decimals) : decimals;
        const auto most = static_cast<std::int64_t>(most_ * power_of_ten(scale));
        const Decimal degrees{draw.between(-most, most), scale};
        if (number) return append_number(out, degrees, form);
        degrees.append_to(out);
    }
    std::string describe() const override { return fmt::format("made-up {}", name_); }

   private:
    std::string_view name_;
    int most_;
};

}  // namespace

std::unique_ptr<Transform> make_latitude(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("latitude", std::make_unique<Coordinate>("latitude", 90), parameters, defaults);
}
std::unique_ptr<Transform> make_longitude(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("longitude", std::make_unique<Coordinate>("longitude", 180), parameters, defaults);
}

}  // namespace pgsluice::rules
