// null: the value is gone; every type has a NULL.
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

class Null : public Transform {
   public:
    std::string unfit(const Column& /*column*/, ValueType /*type*/) const override { return {}; }
    bool ignores_value() const override { return true; }
    bool reads_text() const override { return false; }
    Value apply(std::string_view /*text*/, ValueType /*type*/, Arena& /*arena*/) const override { return {}; }
    std::string describe() const override { return "set to NULL"; }
};

}  // namespace

std::unique_ptr<Transform> make_null(Fields& /*parameters*/, const TransformDefaults& /*defaults*/) {
    return std::make_unique<Null>();
}

}  // namespace pgsluice::rules
