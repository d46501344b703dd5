// A filter of one relation, and what it says to a row. Values that a change does not hold are looked for in its old
// row.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "rules/expressions/expression.h"
#include "rules/filter.h"
#include "rules/rows/transform_step.h"

namespace pgsluice::rules {

// What a filter says to a row.
enum class Verdict { fail, unknown, pass };

struct FilterStep {
    std::size_t column = 0;
    Operator op = Operator::eq;
    ValueType type = ValueType::other;
    bool allow_empty_deletes = false;
    std::shared_ptr<const Predicate> predicate;  // null for is_null and not_null
    std::vector<TransformStep> before;           // earlier transforms of the column
    Place place;
    std::shared_ptr<const Expression> expression{};  // judges the whole row, and not the column
};

// A stop Error where a filter does not know, and none fails.
Verdict judge_new_row(std::span<const FilterStep> filters, const Change& change, Arena& arena);
Verdict judge_old_row(std::span<const FilterStep> filters, const Change& change, Arena& arena);
Verdict judge_old(const FilterStep& step, const Change& change, Arena& arena);

bool same_filter(const FilterStep& a, const FilterStep& b);
// How later updates get to hold what filters need.
std::string filter_hint(const Relation& table);

}  // namespace pgsluice::rules
