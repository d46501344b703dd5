// Makes the target's rows of the source's: columns left out, constants added, values transformed and computed.
#pragma once

#include <span>

#include "rules/rows/compiled_parts.h"
#include "stream/base/arena.h"

namespace pgsluice::rules {

// Before the old row is, which may hold what this one lacks.
void rewrite_new(const CompiledParts& parts, std::span<const TransformStep> steps, Change& change, Arena& arena);
void rewrite_old(const CompiledParts& parts, std::span<const TransformStep> steps, Change& change, Arena& arena);

}  // namespace pgsluice::rules
