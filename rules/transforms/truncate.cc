// truncate: the first `length` characters.
#include <fmt/format.h>

#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

class Truncate : public Transform {
   public:
    explicit Truncate(int length) : length_(static_cast<std::size_t>(length)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? std::string{} : takes("text", column);
    }
    Value apply(std::string_view text, ValueType /*type*/, Arena& /*arena*/) const override {
        return Value(text.substr(0, prefix_bytes(text, length_)));
    }
    std::string describe() const override { return fmt::format("truncate to {} characters", length_); }

   private:
    std::size_t length_;
};

}  // namespace

std::unique_ptr<Transform> make_truncate(Fields& parameters, const TransformDefaults& /*defaults*/) {
    const auto length = parameters.number("length", 0);
    if (!length) throw refuse(parameters.place(), "'length' is missing");
    return std::make_unique<Truncate>(*length);
}

}  // namespace pgsluice::rules
