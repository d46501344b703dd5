// Which libpq keywords a ConnectOptions comes down to. Pure but for reading PGAPPNAME and the like through libpq.
#pragma once

#include <map>
#include <string>

#include "sql/connection.h"

namespace pgsluice::sql {

// Keyword to value: the URL's parts, overridden by the parts that are set, overridden by `settings`; then what a
// connection of ours always has (UTF8) or has unless told otherwise (application name, keepalives that notice a dead
// peer within a minute or so). A usage Error when the URL cannot be read; its text never holds the URL.
std::map<std::string, std::string> connection_keywords(const ConnectOptions& options);

}  // namespace pgsluice::sql
