// What an error that ends a command comes to.
#pragma once

#include <string>

#include "cmd/exit_code.h"
#include "sql/error.h"

namespace pgsluice {

ExitCode exit_code(const Error& error);

// Message and hint as one line of a log.
std::string in_one_line(const Error& error);

}  // namespace pgsluice
