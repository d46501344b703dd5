// How far a batch can be planned: up to the first change about a table that the target does not have as the source
// says.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sinks/postgres/target_mappings.h"
#include "sql/error.h"
#include "stream/change.h"

namespace pgsluice {

struct Unplannable {
    std::size_t change;  // the first one
    Error error;         // a stop Error
};

// Looks mappings up, so the connection must be free.
std::optional<Unplannable> first_unplannable(const std::vector<Change>& changes, TargetMappings& mappings);

// How many of the first `count` changes come before the transaction of the change at `count`.
std::size_t before_transaction(const std::vector<Change>& changes, std::size_t count);

}  // namespace pgsluice
