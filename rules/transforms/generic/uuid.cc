// uuid: a valid one, of version 4.
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t uuid_characters = 36;

class FakeUuid : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override {
        return type == ValueType::uuid || is_text(type) ? std::string{} : takes("uuid or text", column);
    }
    bool keeps_distinct() const override { return true; }  // 122 bits: no two meet by chance
    std::size_t longest() const override { return uuid_characters; }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        draw.append_of(out, hex_digits, 8);
        out += '-';
        draw.append_of(out, hex_digits, 4);
        out += "-4";  // RFC 9562: the version, and below the variant
        draw.append_of(out, hex_digits, 3);
        out += '-';
        out += draw.of("89ab");
        draw.append_of(out, hex_digits, 3);
        out += '-';
        draw.append_of(out, hex_digits, 12);
    }
    std::string describe() const override { return "another uuid"; }
};

}  // namespace

std::unique_ptr<Transform> make_uuid(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("uuid", std::make_unique<FakeUuid>(), parameters, defaults);
}

}  // namespace pgsluice::rules
