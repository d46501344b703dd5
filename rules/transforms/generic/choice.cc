// choice: one of `values`, each as likely as its `weights` say.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "rules/transforms/fits.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

struct Choices {
    std::vector<std::string> values;
    std::vector<std::uint64_t> weights;
};

class Choice : public Recipe {
   public:
    explicit Choice(Choices choices) : choices_(std::move(choices)) {
        for (const std::uint64_t weight : choices_.weights) total_ += weight;
    }

    std::string unfit(const Column& column, ValueType type) const override {
        for (const std::string& value : choices_.values)
            if (std::string reason = does_not_fit(value, "values", column, type); !reason.empty()) return reason;
        return {};
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        std::uint64_t drawn = draw.below(total_);
        std::size_t i = 0;
        for (; drawn >= choices_.weights[i]; ++i) drawn -= choices_.weights[i];
        const std::string& value = choices_.values[i];
        out += form.type == ValueType::boolean ? boolean_text(value) : std::string_view(value);
    }
    std::string describe() const override {
        std::string text = "one of";
        for (std::size_t i = 0; i < choices_.values.size(); ++i)
            text += fmt::format("{} '{}' ({})", i == 0 ? "" : ",", choices_.values[i], choices_.weights[i]);
        return text;
    }

   private:
    Choices choices_;
    std::uint64_t total_ = 0;
};

std::vector<std::string> read_list(const Node& list, std::string_view key, const Fields& parameters) {
    std::vector<std::string> items;
    for (const Node& item : list.items) {
        if (!item.is_scalar() || !is_utf8(item.text))
            throw refuse(parameters.place_of(item), fmt::format("'{}' must list single values", key));
        items.push_back(item.text);
    }
    if (items.empty()) throw refuse(parameters.place_of(list), fmt::format("'{}' must list at least one", key));
    return items;
}

std::uint64_t read_weight(const std::string& text, const Place& place) {
    constexpr std::uint64_t most = 1'000'000;
    std::uint64_t weight = 0;
    for (const char c : text) {
        if (c < '0' || c > '9' || weight > most)
            throw refuse(place, "'weights' must be whole numbers of at most 1000000");
        weight = weight * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (text.empty() || weight > most) throw refuse(place, "'weights' must be whole numbers of at most 1000000");
    return weight;
}

Choices read_choices(Fields& parameters) {
    const Node* values = parameters.take("values");
    const Node* weights = parameters.take("weights");
    if (values == nullptr) throw refuse(parameters.place(), "'values' is missing");
    Choices choices{read_list(*values, "values", parameters), {}};
    choices.weights.assign(choices.values.size(), 1);
    if (weights == nullptr) return choices;
    choices.weights.clear();
    std::uint64_t total = 0;
    for (const std::string& text : read_list(*weights, "weights", parameters)) {
        choices.weights.push_back(read_weight(text, parameters.place_of(*weights)));
        total += choices.weights.back();
    }
    if (choices.weights.size() != choices.values.size() || total == 0)
        throw refuse(parameters.place_of(*weights), "'weights' must hold one number for each of 'values', not all 0");
    return choices;
}

}  // namespace

std::unique_ptr<Transform> make_choice(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("choice", std::make_unique<Choice>(read_choices(parameters)), parameters, defaults);
}

}  // namespace pgsluice::rules
