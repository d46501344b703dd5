// What CompiledRules is made of.
#pragma once

#include <string>
#include <vector>

#include "rules/rows/computed_values.h"
#include "rules/rows/filter_step.h"
#include "rules/rows/transform_step.h"
#include "rules/rule.h"

namespace pgsluice::rules {

// Which rules a change meets, by the source's operation. An update that becomes an insert (or a delete), or may
// become one in the sink (Change::upsert), passes the transforms of both operations: it must not show what either
// hides.
struct Stages {
    std::vector<FilterStep> insert_filters, update_filters, delete_filters;
    std::vector<TransformStep> insert, update, del, entered, left;
};

struct CompiledParts {
    RelationPtr source;
    RelationPtr target;
    Operations operations = all_operations;  // that the route lets through
    Stages stages;
    std::vector<std::size_t> projection;  // the source's column of each target column that has one; empty: all of them
    std::vector<ComputedStep> computed{};
    std::vector<std::string> description;
    std::vector<std::string> warnings;
};

}  // namespace pgsluice::rules
