// The rows of a target's table that are this worker's: all, or those with the constants that its route adds.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

// `"sid" = '7' AND ...`, with `prefix` before each name; empty: all rows are.
std::string own_rows_condition(const Relation& relation, std::string_view prefix = "");
// The same of names and values by turns.
std::string own_rows_condition(std::span<const std::string> names_and_values, std::string_view prefix = "");

// A table's own rows by name, to be noted and found again.
struct OwnRows {
    std::string table;      // quoted and qualified
    std::string condition;  // empty: all

    static OwnRows of(const std::string& table, const Relation& relation) {
        return {table, own_rows_condition(relation)};
    }
    // "table" or "table WHERE condition", and back.
    [[nodiscard]] std::string text() const;
    static OwnRows parse(std::string_view text);

    friend auto operator<=>(const OwnRows&, const OwnRows&) = default;
};

}  // namespace pgsluice
