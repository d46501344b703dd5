// template: a text made of other columns of the row, as the rules leave them: "{first_name|lower}@example.com".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rules/transforms/row/functions.h"
#include "rules/transforms/transform.h"

namespace pgsluice::rules {

class Template : public Transform {
   public:
    // {column}, {column|function|function:argument}; {{ and }} stand for braces. usage Error.
    static std::unique_ptr<Template> parse(std::string text, const Place& place);

    [[nodiscard]] std::string unfit(const Column& column, ValueType type) const override;
    [[nodiscard]] std::shared_ptr<const Transform> for_column(const Column& column, ValueType type) const override;
    [[nodiscard]] std::span<const std::string> inputs() const override { return inputs_; }
    // Why the functions cannot take values of this column, which is one of its inputs(); empty when they can.
    [[nodiscard]] std::string unfit_input(std::string_view name, const Column& column) const;
    // It is made of other columns: see compose().
    Value apply(std::string_view text, ValueType type, Arena& arena) const override;
    Value compose(std::span<const Value> inputs, Arena& arena) const override;
    [[nodiscard]] std::string describe() const override;

   private:
    struct Call {
        const TemplateFunction* function;
        std::string argument;
    };
    struct Part {
        std::string text;       // as it is, where there is no input
        std::size_t input = 0;  // of inputs_
        bool is_text = true;
        std::vector<Call> calls{};
    };
    friend class TemplateParser;

    std::string text_;
    std::vector<std::string> inputs_;
    std::vector<Part> parts_;
    bool lexemes_ = false;  // of a tsvector
    std::size_t most_ = 0;  // characters that the column holds; 0: any number
};

std::unique_ptr<Transform> make_template(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
