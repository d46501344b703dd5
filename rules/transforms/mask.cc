// mask: keeps the first and the last character and replaces each one between. Up to two characters are masked whole.
#include <fmt/format.h>

#include <cstring>

#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

class Mask : public Transform {
   public:
    explicit Mask(std::string star) : star_(std::move(star)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? std::string{} : takes("text", column);
    }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        const std::size_t characters = count_characters(text);
        const bool whole = characters <= 2;
        const std::size_t head = whole ? 0 : first_character(text);
        const std::size_t tail = whole ? 0 : last_character(text);
        const std::size_t stars = whole ? characters : characters - 2;
        const std::size_t bytes = head + stars * star_.size() + tail;
        if (bytes == 0) return Value(std::string_view(""));
        auto* out = reinterpret_cast<char*>(arena.allocate(bytes));
        std::memcpy(out, text.data(), head);
        fill(out + head, stars);
        std::memcpy(out + bytes - tail, text.data() + text.size() - tail, tail);
        return Value(std::string_view(out, bytes));
    }

    std::string describe() const override { return fmt::format("mask with '{}'", star_); }

   private:
    void fill(char* out, std::size_t stars) const {
        if (star_.size() == 1) {
            std::memset(out, star_[0], stars);
            return;
        }
        for (std::size_t i = 0; i < stars; ++i) std::memcpy(out + i * star_.size(), star_.data(), star_.size());
    }

    std::string star_;  // one character
};

}  // namespace

std::unique_ptr<Transform> make_mask(Fields& parameters, const TransformDefaults& /*defaults*/) {
    std::string star = parameters.text("mask_char").value_or("*");
    if (!is_utf8(star) || count_characters(star) != 1)
        throw refuse(parameters.place(), "'mask_char' must be one character");
    return std::make_unique<Mask>(std::move(star));
}

}  // namespace pgsluice::rules
