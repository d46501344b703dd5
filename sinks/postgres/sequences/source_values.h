// Sequences of the target as those of the source that have the same names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/postgres/sequences/sequences.h"
#include "sql/connection.h"

namespace pgsluice {

// Sets those (quoted and qualified) that are there to the source's value where they lag it, in their own direction.
// Returns what was set.
std::vector<PostgresSequences::Moved> take_source_values(sql::Connection& source, sql::Connection& target,
                                                         const std::vector<std::string>& sequences);

// The same of one, whose name the target reads as SQL, and its value.
std::optional<PostgresSequences::Moved> take_source_value(sql::Connection& target, const std::string& sequence,
                                                          const std::string& last_value, bool is_called);

}  // namespace pgsluice
