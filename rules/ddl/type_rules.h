// Types under rules: an enum's labels and a domain's default and checks are values of the columns that use them.
#pragma once

#include "rules/ddl/table_says.h"

namespace pgsluice::rules {

// Takes from the change's type what only columns with rules may hold. False: no column that is shown uses it, and it is
// left out: the first one that does brings it along.
bool keep_type(const FilesSay& files, DefinitionChange& change);

}  // namespace pgsluice::rules
