// A transform of one column of one relation.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "rules/place.h"
#include "rules/rows/when.h"
#include "rules/transforms/transform.h"
#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice::rules {

struct TransformStep {
    std::size_t column = 0;  // of the source
    std::size_t target = 0;  // of the target; of no meaning in FilterStep::before
    bool key = false;
    ValueType type = ValueType::other;
    std::shared_ptr<const Transform> transform;
    Place place;
    std::size_t subject = no_subject;  // of the source: the column that the transform goes by
    static constexpr std::size_t no_subject = ~std::size_t{0};
    std::shared_ptr<const When> when{};  // null: it is for all rows
    std::vector<std::size_t> inputs{};   // of the source: what it is made of, as the other steps leave it

    // Whether its result depends on more than the column's value.
    [[nodiscard]] bool reads_row() const { return subject != no_subject || when != nullptr || !inputs.empty(); }
};

// What it makes of a value of its column. `source` is the row it is of, before any rule; filters, whose transforms go
// by nothing else, leave it out. A stop Error where it cannot read the value.
Value transformed(const TransformStep& step, const Value& value, Arena& arena, Row source = {});

bool same_steps(std::span<const TransformStep> a, std::span<const TransformStep> b);

}  // namespace pgsluice::rules
