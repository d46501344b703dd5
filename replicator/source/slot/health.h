// The group's slot as the source shows it now, for its health.
#pragma once

#include <string>

#include "sql/connection.h"
#include "stream/health/group_health.h"

namespace pgsluice {

SlotHealth look_at_slot(sql::Connection& source, const std::string& name);

}  // namespace pgsluice
