// Whether the sink's tables take what the routing file computes, at a start.
#pragma once

#include <span>

#include "rules/ruleset.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

// usage Error where a column does not. A warning where the worker continues: the target may be about to be altered.
void check_computed_types(const Ruleset& ruleset, std::span<const RelationPtr> tables, Sink& sink, bool continues,
                          const Log& log);

}  // namespace pgsluice
