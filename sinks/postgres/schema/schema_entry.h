// One object of the source's schema, with the statements that make it.
#pragma once

#include <optional>
#include <string>

#include "stream/change.h"

namespace pgsluice {

struct SchemaEntry {
    std::string name{};
    std::string type{};    // as pg_dump's comments call it: "TABLE", "FK CONSTRAINT"
    std::string schema{};  // "-" when it is in none
    std::string text{};    // its statements

    // From definitions: the table that it is on, and an SQL expression that must be true on the target.
    std::optional<QualifiedName> table{};
    std::string condition{};
};

}  // namespace pgsluice
