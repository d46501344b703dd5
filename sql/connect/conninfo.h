// Turns ConnectOptions into libpq keywords. Pure, except that libpq reads PGAPPNAME and other environment variables.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "sql/connection.h"

namespace pgsluice::sql {

// Keyword to value: the URL's parts, overridden by the parts that are set, overridden by `settings`; then what every
// connection of ours has (UTF8) or has by default (application name, keepalives that detect a dead peer within about a
// minute). A usage Error when the URL cannot be read; its text never holds the URL.
std::map<std::string, std::string> connection_keywords(const ConnectOptions& options);

// The same with everything filled in that libpq adds from the environment, service files and its defaults. Connects to
// nothing. Without the addition when these cannot be read.
std::map<std::string, std::string> resolved_keywords(const ConnectOptions& options);

// A value as a keyword/value conninfo string holds it, in quotes where it needs them.
std::string conninfo_value(std::string_view value);

}  // namespace pgsluice::sql
