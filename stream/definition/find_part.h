// A definition's column, constraint, label, ... by one of its fields.
#pragma once

#include <algorithm>
#include <vector>

namespace pgsluice {

// Null when there is none.
template <typename Part, typename Field, typename Value>
const Part* find_part(const std::vector<Part>& all, Field Part::*field, const Value& value) {
    const auto found = std::ranges::find(all, value, field);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace pgsluice
