// What the rules and routing files mean for views, functions, triggers and policies: their text cannot be made to fit,
// so a target is given it as it is, or the worker stops.
#pragma once

#include "rules/ddl/table_says.h"

namespace pgsluice::rules {

// Whether the change is about such an object.
[[nodiscard]] bool is_code(const DefinitionChange& change);

// Gives triggers and policies the names of their table's route. Where the text names what is routed elsewhere or is not
// replicated, or may be about values that are hidden, DefinitionChange::obstacle says so; in the last case the text is
// left out, too. False: it goes with a table that is not replicated.
bool keep_code(const FilesSay& files, DefinitionChange& change);

}  // namespace pgsluice::rules
