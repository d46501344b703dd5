// pgsluice(1), in roff with the man macros, from the tables of commands and flags.
#pragma once

#include <string>

namespace pgsluice {

std::string manual_page();

}  // namespace pgsluice
