// encrypt: AES-SIV of a text, as base64 with the alphabet for URLs and without padding.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "rules/transforms/keyed/recipe.h"
#include "rules/transforms/reversible/key.h"
#include "rules/transforms/reversible/siv.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// Comes before the text, so that an empty one is none to the cipher.
constexpr char first_version = '\1';

std::size_t base64_characters(std::size_t bytes) { return (bytes * 8 + 5) / 6; }

void append_base64(std::string& out, std::string_view data) {
    unsigned bits = 0;
    int have = 0;
    for (const char c : data) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (have += 8; have >= 6; have -= 6) out += digits[bits >> (have - 6) & 63];
    }
    if (have > 0) out += digits[bits << (6 - have) & 63];
}

std::string from_base64(std::string_view text) {
    std::string data;
    unsigned bits = 0;
    int have = 0;
    for (const char c : text) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos) return {};
        bits = bits << 6 | static_cast<unsigned>(digit);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        data += static_cast<char>(bits >> have & 0xff);
    }
    return data;
}

class Encrypt : public Transform {
   public:
    struct Keyed {
        Siv siv;
        std::string proof;
    };
    Encrypt(std::shared_ptr<const Keyed> keyed, std::size_t most) : keyed_(std::move(keyed)), most_(most) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (std::string reason = takes_text(column, type); !reason.empty()) return reason;
        return too_long(base64_characters(Siv::tag_bytes + 1), column);
    }
    std::shared_ptr<const Transform> for_column(const Column& column, ValueType type) const override {
        return std::make_shared<const Encrypt>(keyed_, ColumnForm::of(column, type).most);
    }
    bool keeps_distinct(ValueType /*type*/) const override { return true; }
    bool reads_text() const override { return false; }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        thread_local std::string with_version;
        with_version.assign(1, first_version).append(text);
        const std::string sealed = keyed_->siv.seal(with_version);
        std::string out;
        out.reserve(base64_characters(sealed.size()));
        append_base64(out, sealed);
        if (most_ > 0 && out.size() > most_)
            throw Unreadable{fmt::format("its result has more characters than the column holds, {}", most_)};
        return Value(arena.copy(out));
    }
    std::optional<std::string> undone(std::string_view result) const override {
        const std::string sealed = from_base64(result);
        std::string written;
        append_base64(written, sealed);  // spare bits and other forms of the same are not ours
        std::optional<std::string> text;
        if (written == result) text = keyed_->siv.open(sealed);
        if (!text || (*text)[0] != first_version)
            throw Unreadable{"it is not what this rule makes with this secret, or it was altered"};
        return text->substr(1);
    }

    std::string describe() const override { return "encrypt (AES-SIV)"; }
    std::string meaning() const override { return fmt::format("{} {}", describe(), keyed_->proof); }

   private:
    std::shared_ptr<const Keyed> keyed_;
    std::size_t most_;  // characters of the column; 0: any number
};

}  // namespace

std::unique_ptr<Transform> make_encrypt(Fields& parameters, const TransformDefaults& defaults) {
    const CipherKey key("encrypt", parameters, defaults);
    try {
        return std::make_unique<Encrypt>(
            std::make_shared<const Encrypt::Keyed>(Encrypt::Keyed{Siv(key.bytes), key.proof}), 0);
    } catch (const std::runtime_error& error) {
        throw refuse(parameters.place(), error.what());
    }
}

}  // namespace pgsluice::rules
