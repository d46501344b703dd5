// Capture of DDL as the text that the client sent (--ddl-capture text): one function for two event triggers.
#pragma once

#include <string>

#include "replicator/source/ddl/scope.h"

namespace pgsluice::ddl {

// Makes or replaces all of it.
std::string text_capture_statements(const Scope& scope);

}  // namespace pgsluice::ddl
