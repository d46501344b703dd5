// What `pgsluice import` is told; the sink's options are its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/ruleset.h"

namespace pgsluice {

struct ImportOptions {
    std::vector<std::string> dumps;        // of several, one dump in parts, in their order
    RulesOptions rules;                    // as a worker's
    std::uint64_t max_rows_per_table = 0;  // of the dump's tables, before the rules; 0: all
    bool dry_run = false;
};

}  // namespace pgsluice
