// boolean: true in `true_percent` of a hundred cases.
#include <fmt/format.h>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

class Boolean : public Recipe {
   public:
    explicit Boolean(int percent) : percent_(percent) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return type == ValueType::boolean ? std::string{} : takes("booleans", column);
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        out += static_cast<int>(draw.below(100)) < percent_ ? 't' : 'f';
    }
    std::string describe() const override { return fmt::format("true in {} of 100", percent_); }

   private:
    int percent_;
};

}  // namespace

std::unique_ptr<Transform> make_boolean(Fields& parameters, const TransformDefaults& defaults) {
    const int percent = parameters.number("true_percent", 0).value_or(50);
    if (percent > 100) throw refuse(parameters.place(), "'true_percent' is above 100");
    return make_keyed("boolean", std::make_unique<Boolean>(percent), parameters, defaults);
}

}  // namespace pgsluice::rules
