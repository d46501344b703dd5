// constant: the same value in every row, NULL included.
#include <fmt/format.h>

#include "rules/transforms/fits.h"
#include "rules/transforms/transforms.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

class Constant : public Transform {
   public:
    explicit Constant(std::string value) : value_(std::move(value)), boolean_(boolean_text(value_)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return does_not_fit(value_, "value", column, type);
    }
    bool ignores_value() const override { return true; }
    bool reads_text() const override { return false; }
    Value apply(std::string_view /*text*/, ValueType type, Arena& /*arena*/) const override { return value(type); }
    Value for_null(ValueType type) const override { return value(type); }
    std::string describe() const override { return fmt::format("set to '{}'", value_); }

   private:
    [[nodiscard]] Value value(ValueType type) const { return Value(type == ValueType::boolean ? boolean_ : value_); }

    std::string value_;
    std::string_view boolean_;
};

}  // namespace

std::unique_ptr<Transform> make_constant(Fields& parameters, const TransformDefaults& /*defaults*/) {
    std::string value = parameters.required_text("value");
    if (!is_utf8(value)) throw refuse(parameters.place(), "'value' is not valid UTF-8");
    return std::make_unique<Constant>(std::move(value));
}

}  // namespace pgsluice::rules
