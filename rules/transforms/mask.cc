// mask: keeps the first and the last character and replaces each one between. Up to two characters are masked whole.
// With `keep_first` and `keep_last` it keeps so many, and with `preset` what a kind of value shows; a value that would
// be kept whole is masked whole.
#include <fmt/format.h>

#include <cstring>

#include "rules/transforms/mask_preset.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

// Keeps so many characters at each end.
class Mask : public Transform {
   public:
    Mask(std::string star, std::size_t first, std::size_t last) : star_(std::move(star)), first_(first), last_(last) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? std::string{} : takes("text", column);
    }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        const std::size_t characters = count_characters(text);
        const bool whole = characters <= first_ + last_;
        const std::size_t head = whole ? 0 : prefix_bytes(text, first_);
        const std::size_t tail = whole ? 0 : text.size() - prefix_bytes(text, characters - last_);
        const std::size_t stars = whole ? characters : characters - first_ - last_;
        const std::size_t bytes = head + stars * star_.size() + tail;
        if (bytes == 0) return Value(std::string_view(""));
        auto* out = reinterpret_cast<char*>(arena.allocate(bytes));
        std::memcpy(out, text.data(), head);
        fill(out + head, stars);
        std::memcpy(out + bytes - tail, text.data() + text.size() - tail, tail);
        return Value(std::string_view(out, bytes));
    }

    std::string describe() const override {
        if (first_ == 1 && last_ == 1) return fmt::format("mask with '{}'", star_);
        return fmt::format("mask with '{}' but the first {} and last {}", star_, first_, last_);
    }

   private:
    void fill(char* out, std::size_t stars) const {
        if (star_.size() == 1) {
            std::memset(out, star_[0], stars);
            return;
        }
        for (std::size_t i = 0; i < stars; ++i) std::memcpy(out + i * star_.size(), star_.data(), star_.size());
    }

    std::string star_;  // one character
    std::size_t first_;
    std::size_t last_;
};

class PresetMask : public Transform {
   public:
    PresetMask(std::string star, const MaskPreset& preset) : star_(std::move(star)), preset_(preset) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? std::string{} : takes("text", column);
    }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        thread_local Kept kept;
        kept.assign(text.size(), false);
        preset_.mark(text, kept);
        thread_local std::string out;
        out.clear();
        if (!hides_any(text, kept)) {
            for (std::size_t i = count_characters(text); i > 0; --i) out += star_;
            return Value(arena.copy(out));
        }
        for (std::size_t i = 0; i < text.size();) {
            const std::size_t bytes = first_character(text.substr(i));
            if (kept[i]) {
                out.append(text, i, bytes);
            } else {
                out += star_;
            }
            i += bytes;
        }
        return Value(arena.copy(out));
    }

    std::string describe() const override { return fmt::format("mask as {} with '{}'", preset_.name, star_); }

   private:
    static bool hides_any(std::string_view text, const Kept& kept) {
        for (std::size_t i = 0; i < text.size(); ++i)
            if (!kept[i] && !is_continuation(text[i])) return true;
        return false;
    }

    std::string star_;
    const MaskPreset& preset_;
};

std::unique_ptr<Transform> make_preset_mask(Fields& parameters, std::string star, const std::string& name) {
    const MaskPreset* preset = find_mask_preset(name);
    if (preset == nullptr)
        throw refuse(parameters.place(), fmt::format("unknown preset '{}'", name),
                     fmt::format("Known presets: {}.", mask_preset_names()));
    return std::make_unique<PresetMask>(std::move(star), *preset);
}

}  // namespace

std::unique_ptr<Transform> make_mask(Fields& parameters, const TransformDefaults& /*defaults*/) {
    std::string star = parameters.text("mask_char").value_or("*");
    if (!is_utf8(star) || count_characters(star) != 1)
        throw refuse(parameters.place(), "'mask_char' must be one character");
    const auto preset = parameters.text("preset");
    const auto first = parameters.number("keep_first", 0);
    const auto last = parameters.number("keep_last", 0);
    if (preset && (first || last)) throw refuse(parameters.place(), "both 'preset' and 'keep_first' or 'keep_last'");
    if (preset) return make_preset_mask(parameters, std::move(star), *preset);
    const int otherwise = first || last ? 0 : 1;
    return std::make_unique<Mask>(std::move(star), static_cast<std::size_t>(first.value_or(otherwise)),
                                  static_cast<std::size_t>(last.value_or(otherwise)));
}

}  // namespace pgsluice::rules
