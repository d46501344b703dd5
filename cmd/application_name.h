// What the program is called in pg_stat_activity.
#pragma once

#include <string_view>

#include "cmd/cli/settings.h"

namespace pgsluice {

// On all its connections: "pgsluice replicator shop", "pgsluice worker shop postgres", "pgsluice compare shop"; at most
// the 63 bytes that PostgreSQL keeps. A name that the user has given, in a URL or in PGAPPNAME, stays.
void set_application_name(Settings& settings, std::string_view command_words);

}  // namespace pgsluice
