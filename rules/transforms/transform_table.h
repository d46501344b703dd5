// All transforms: what a rules file may name, what the page says of each (README.md), and the examples that are shown
// there and run by a test.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

// Under the secret "example-secret".
struct TransformExample {
    std::string_view parameters{};  // without the type: "min: 1, max: 6"; empty name of `from`'s column: there is none
    ValueType type = ValueType::text;
    std::string_view from{};
    std::string_view to{};
};

struct TransformKind {
    std::string_view name;
    std::unique_ptr<Transform> (*make)(Fields& parameters, const TransformDefaults& defaults);
    std::string_view makes;
    std::string_view parameters;
    std::string_view columns;
    std::string_view unique;  // where different values stay different; empty: nowhere
    bool keyed = true;        // takes the secret, `by` and `random`
    std::array<TransformExample, 4> examples{};
};

std::span<const TransformKind> transform_kinds();

// The table of the page, in Markdown.
std::string transform_page();

}  // namespace pgsluice::rules
