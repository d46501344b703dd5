#include "rules/transforms/fake/text_fake.h"

#include <fmt/format.h>

#include "rules/transforms/keyed/keyed.h"

namespace pgsluice::rules {
namespace {

class FakeOfLists : public Recipe {
   public:
    FakeOfLists(std::string_view name, TextFake fake, const Locale& locale, std::string more)
        : name_(name), fake_(fake), locale_(locale), more_(std::move(more)) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    bool may_be_cut() const override { return true; }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        fake_(draw, locale_, out);
    }
    std::string describe() const override { return fmt::format("made-up {} ({}{})", name_, locale_.name, more_); }

   private:
    std::string_view name_;
    TextFake fake_;
    const Locale& locale_;
    std::string more_;
};

}  // namespace

std::unique_ptr<Transform> make_text_fake(std::string_view name, TextFake fake, Fields& parameters,
                                          const TransformDefaults& defaults, std::string more) {
    auto recipe = std::make_unique<FakeOfLists>(name, fake, read_locale(parameters, defaults), std::move(more));
    return make_keyed(name, std::move(recipe), parameters, defaults);
}

}  // namespace pgsluice::rules
