#include "rules/transforms/row/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "rules/transforms/keyed/recipe.h"
#include "rules/transforms/row/lexemes.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

constexpr Oid tsvector_oid = 3614;

}  // namespace

class TemplateParser {
   public:
    TemplateParser(Template& into, const Place& place) : into_(into), rest_(into.text_), place_(place) {}

    void parse() {
        while (!rest_.empty()) {
            const char c = rest_[0];
            if (rest_.starts_with("{{") || rest_.starts_with("}}")) {
                add_text(c);
                rest_.remove_prefix(2);
            } else if (c == '{') {
                read_braces();
            } else if (c == '}') {
                throw refuse(place_, "'template' has a '}' without a '{'", "Write }} for a brace.");
            } else {
                add_text(c);
                rest_.remove_prefix(1);
            }
        }
        if (into_.inputs_.empty())
            throw refuse(place_, "'template' names no column", "Use type: constant for a text without one.");
    }

   private:
    void add_text(char c) {
        if (into_.parts_.empty() || !into_.parts_.back().is_text) into_.parts_.emplace_back();
        into_.parts_.back().text += c;
    }

    void read_braces() {
        const auto end = rest_.find('}');
        if (end == std::string_view::npos)
            throw refuse(place_, "'template' has a '{' without a '}'", "Write {{ for a brace.");
        std::string_view inside = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        Template::Part part;
        part.is_text = false;
        part.input = input_of(std::string(take(inside)));
        while (!inside.empty()) part.calls.push_back(read_call(take(inside)));
        into_.parts_.push_back(std::move(part));
    }

    static std::string_view take(std::string_view& text) {
        const std::string_view one = text.substr(0, text.find('|'));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        return one;
    }

    std::size_t input_of(std::string name) {
        if (name.empty()) throw refuse(place_, "'template' has braces without a column's name");
        auto& inputs = into_.inputs_;
        const auto found = std::ranges::find(inputs, name);
        const auto index = static_cast<std::size_t>(found - inputs.begin());
        if (found == inputs.end()) inputs.push_back(std::move(name));
        return index;
    }

    Template::Call read_call(std::string_view text) const {
        const auto colon = text.find(':');
        const std::string_view name = text.substr(0, colon);
        const TemplateFunction* function = find_template_function(name);
        if (function == nullptr)
            throw refuse(place_, fmt::format("'template' calls an unknown function '{}'", name),
                         fmt::format("Known functions: {}.", template_function_names()));
        const bool has = colon != std::string_view::npos;
        std::string argument(has ? text.substr(colon + 1) : std::string_view{});
        const bool digits = argument.find_first_not_of("0123456789") == std::string::npos && argument.size() < 7;
        if (has != (function->takes != Takes::nothing) || (has && argument.empty()) ||
            (function->takes == Takes::number && !digits))
            throw refuse(place_, fmt::format("'{}' of 'template' takes {} after a colon", name,
                                             function->takes == Takes::nothing  ? "nothing"
                                             : function->takes == Takes::number ? "a number"
                                                                                : "a text"));
        return {function, std::move(argument)};
    }

    Template& into_;
    std::string_view rest_;
    const Place& place_;
};

std::unique_ptr<Template> Template::parse(std::string text, const Place& place) {
    if (!is_utf8(text)) throw refuse(place, "'template' is not valid UTF-8");
    auto made = std::make_unique<Template>();
    made->text_ = std::move(text);
    TemplateParser(*made, place).parse();
    return made;
}

std::string Template::unfit(const Column& column, ValueType type) const {
    return is_text(type) || column.base_oid == tsvector_oid ? "" : takes("text or tsvector", column);
}

std::shared_ptr<const Transform> Template::for_column(const Column& column, ValueType type) const {
    auto fitted = std::make_shared<Template>(*this);
    fitted->lexemes_ = column.base_oid == tsvector_oid;
    if (!fitted->lexemes_) fitted->most_ = ColumnForm::of(column, type).most;
    return fitted;
}

std::string Template::unfit_input(std::string_view name, const Column& column) const {
    const ValueType type = value_type(column);
    const bool dated = type == ValueType::date || type == ValueType::timestamp || type == ValueType::timestamptz;
    for (const Part& part : parts_) {
        if (part.is_text || inputs_[part.input] != name) continue;
        for (const Call& call : part.calls)
            if (call.function->of_dates && (!dated || &call != part.calls.data()))
                return fmt::format("'{}' takes a date or timestamp, and '{}' is {}", call.function->name, name,
                                   &call == part.calls.data() ? column.type_name : "a text by then");
    }
    return {};
}

Value Template::apply(std::string_view /*text*/, ValueType /*type*/, Arena& /*arena*/) const {
    throw std::logic_error("a template is made of a row");
}

// NULL is an empty text.
Value Template::compose(std::span<const Value> inputs, Arena& arena) const {
    std::string out;
    for (const Part& part : parts_) {
        std::string text = part.is_text ? part.text : std::string(inputs[part.input].text());
        for (const Call& call : part.calls) text = call.function->apply(text, call.argument);
        out += text;
    }
    if (most_ != 0 && count_characters(out) > most_)
        throw Unreadable{fmt::format("what the template makes is longer than the column's {} characters", most_)};
    return Value(arena.copy(lexemes_ ? lexemes_of(out) : out));
}

std::string Template::describe() const { return fmt::format("template '{}'", text_); }

std::unique_ptr<Transform> make_template(Fields& parameters, const TransformDefaults& /*defaults*/) {
    return Template::parse(parameters.required_text("template"), parameters.place());
}

}  // namespace pgsluice::rules
