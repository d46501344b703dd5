// The YAML configuration file: one mapping of flag names to values. `_` in a key counts as `-`. Values may hold
// references (cmd/cli/references.h).
#pragma once

#include <string>

#include "cmd/cli/environment.h"
#include "cmd/cli/given.h"

namespace pgsluice {

// usage Error naming file and line: not readable, not YAML, an unknown or repeated key, a value that is not a scalar
// (or, for a list, a sequence of scalars). Keys of other commands are fine: one file may serve both sides.
GivenSettings read_config_file(const std::string& path, const Environment& environment);
// The same from text, for tests; `path` is for messages.
GivenSettings read_config_text(const std::string& text, const std::string& path, const Environment& environment = {});

}  // namespace pgsluice
