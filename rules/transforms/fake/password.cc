// password: letters and digits. Hashes of a known one: rules/transforms/known_password.cc.
#include <fmt/format.h>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr int default_length = 16;
constexpr int most_length = 1000;
constexpr int distinct_length = 12;  // 71 bits: no two of a table's values meet by chance

class Password : public Recipe {
   public:
    explicit Password(int length) : length_(length) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    bool keeps_distinct() const override { return length_ >= distinct_length; }
    std::size_t longest() const override { return static_cast<std::size_t>(length_); }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        draw.append_of(out, characters, longest());
    }
    std::string describe() const override { return fmt::format("made-up password of {} characters", length_); }

   private:
    int length_;
};

}  // namespace

std::unique_ptr<Transform> make_password(Fields& parameters, const TransformDefaults& defaults) {
    const int length = parameters.number("length", 1).value_or(default_length);
    if (length > most_length) throw refuse(parameters.place(), fmt::format("'length' is above {}", most_length));
    return make_keyed("password", std::make_unique<Password>(length), parameters, defaults);
}

}  // namespace pgsluice::rules
