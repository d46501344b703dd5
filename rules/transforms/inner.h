// A transform within another one's value: what `transform` says of json, array, hstore and xml.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

// `where`: "JSON", for errors.
std::unique_ptr<Transform> read_inner(Fields& parameters, const TransformDefaults& defaults, std::string_view where);
// The same, of what a column like `part` holds.
std::unique_ptr<Transform> read_inner_of(Fields& parameters, const TransformDefaults& defaults, std::string_view where,
                                         const Column& part, const std::string& hint = {});
// The same, of texts of any length.
std::unique_ptr<Transform> read_inner_of_texts(Fields& parameters, const TransformDefaults& defaults,
                                               std::string_view where);

// What becomes of a part of a value: another transform's result, a given one, or nothing.
struct InnerEdit {
    std::unique_ptr<Transform> inner{};  // null: the part is removed, or becomes `set`
    std::optional<std::string> set{};

    [[nodiscard]] bool removes() const { return inner == nullptr && !set; }
    [[nodiscard]] bool repeats() const { return inner == nullptr || inner->repeats(); }
    // "set a, b to 0", "delete a, b". Of one without a transform.
    [[nodiscard]] std::string describe(std::string_view parts) const;
};
// `transform` of texts, `delete: true` or `set`; not more than one of them.
InnerEdit read_edit_of_texts(Fields& parameters, const TransformDefaults& defaults, std::string_view where);

// `path: $.a` or `paths: [$.a, $.b]`.
std::vector<std::string> read_one_or_more(Fields& parameters, std::string_view one, std::string_view more);

}  // namespace pgsluice::rules
