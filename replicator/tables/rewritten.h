// Which tables of a DDL message hold values that a target could not compute: their rows are copied again. Pure.
#pragma once

#include "stream/definition/definition_message.h"

namespace pgsluice {

// The source has computed values of the table's rows (a volatile default, ALTER TYPE), and it is not certain that a
// target's own ALTER TABLE would come to the same ones; or the table was unlogged.
[[nodiscard]] bool must_be_copied(const DefinitionChange& change);

}  // namespace pgsluice
