// The commands that objects of all classes have.
#pragma once

#include <string>

#include "sinks/ddl/derived_statement.h"

namespace pgsluice {

// What COMMENT ON ... IS takes.
std::string comment_text(const std::string& comment);

// ALTER ... OWNER TO, where the target has the role. `what`: "TABLE public.t"; `object` for messages.
DerivedStatement owner_statement(const std::string& what, const std::string& role, std::string object);

}  // namespace pgsluice
