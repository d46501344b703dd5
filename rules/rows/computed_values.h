// Columns of the target that expressions over the source's row make: `set` of a route.
#pragma once

#include <memory>
#include <span>

#include "rules/expressions/expression.h"
#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice::rules {

struct ComputedStep {
    std::size_t target = 0;  // of the target's columns
    std::shared_ptr<const Expression> expression;
    Place place;
};

// Writes what they make of the change's new row, which is the source's still, into the target's. Where an input is
// unchanged TOAST that the old row does not hold either: unchanged, if no input has changed; a stop Error if one may
// have. A stop Error also where PostgreSQL has an error.
void compute_new(std::span<const ComputedStep> steps, const Change& change, std::span<Value> target, Arena& arena);
// The same of a whole old row.
void compute_old(std::span<const ComputedStep> steps, Row source, std::span<Value> target, Arena& arena);

}  // namespace pgsluice::rules
