// What an error that ends a command comes to.
#pragma once

#include "cmd/exit_code.h"
#include "sql/error.h"

namespace pgsluice {

ExitCode exit_code(const Error& error);

}  // namespace pgsluice
