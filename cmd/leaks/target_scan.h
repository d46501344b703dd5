// Reads all rows of all tables and materialised views of a target, and looks for hidden values in each column that can
// hold text.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/leaks/sightings.h"
#include "sql/connection.h"

namespace pgsluice {

struct TargetScan {
    std::size_t tables = 0;
    std::size_t columns = 0;
    std::size_t rows = 0;
    std::vector<std::string> unread;  // "public.notes: the role may not read it"
    bool refused = false;             // one of them because of rights
};

TargetScan scan_target(const sql::ConnectOptions& target, Sightings& sightings, const std::stop_token& stop);

}  // namespace pgsluice
