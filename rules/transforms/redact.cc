// redact: as many stars in every row, so that not even the length shows.
#include <fmt/format.h>

#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

constexpr int default_length = 8;
constexpr int max_length = 1000;

class Redact : public Transform {
   public:
    Redact(const std::string& star, int length) : length_(static_cast<std::size_t>(length)) {
        for (int i = 0; i < length; ++i) stars_ += star;
    }

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? too_long(length_, column) : takes("text", column);
    }
    bool ignores_value() const override { return true; }
    bool reads_text() const override { return false; }
    Value apply(std::string_view /*text*/, ValueType /*type*/, Arena& /*arena*/) const override {
        return Value(stars_);
    }
    std::string describe() const override { return fmt::format("redact as '{}'", stars_); }

   private:
    std::size_t length_;
    std::string stars_;
};

}  // namespace

std::unique_ptr<Transform> make_redact(Fields& parameters, const TransformDefaults& /*defaults*/) {
    const std::string star = parameters.text("mask_char").value_or("*");
    const int length = parameters.number("length", 1).value_or(default_length);
    if (!is_utf8(star) || count_characters(star) != 1)
        throw refuse(parameters.place(), "'mask_char' must be one character");
    if (length > max_length) throw refuse(parameters.place(), fmt::format("'length' is above {}", max_length));
    return std::make_unique<Redact>(star, length);
}

}  // namespace pgsluice::rules
