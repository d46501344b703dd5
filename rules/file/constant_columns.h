// `columns` of a route: what is added to every row.
//     {sid: 7, origin: "{schema}", region: {value: "12", type: smallint}}
#pragma once

#include <vector>

#include "rules/file/node.h"
#include "rules/place.h"
#include "rules/rule.h"

namespace pgsluice::rules {

// Adds to those of the defaults, or replaces them by name; null leaves one out. usage Error naming what does not fit.
void read_constants(std::vector<ConstantColumn>& columns, const Node& map, const Place& place);

}  // namespace pgsluice::rules
