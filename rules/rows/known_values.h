// What is known of a row's values where a change does not hold all of them: an update's old row, or its key, may have
// those that are unchanged TOAST.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/change.h"

namespace pgsluice::rules {

// Whether the change's old row holds the column.
[[nodiscard]] bool in_old_row(const Change& change, std::size_t column);
[[nodiscard]] std::optional<Value> new_value(const Change& change, std::size_t column);
[[nodiscard]] std::optional<Value> old_value(const Change& change, std::size_t column);
// Whether an update left the value as it was, for certain.
[[nodiscard]] bool stays(const Change& change, std::size_t column);

// How later updates get to hold what is missing: "what the filter needs".
[[nodiscard]] std::string full_identity_hint(const Relation& table, std::string_view what);

}  // namespace pgsluice::rules
