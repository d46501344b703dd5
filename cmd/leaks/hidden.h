// The values that rules hide, of a sample of the source's rows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "cmd/finding/source_tables.h"
#include "cmd/leaks/needles.h"
#include "cmd/leaks/sightings.h"
#include "rules/rules_files.h"

namespace pgsluice {

struct Hidden {
    Needles needles;
    ChanceByColumn chances;  // under the target's names
    std::size_t rows = 0;    // that were sampled
    bool refused = false;    // rows of a table could not be taken: its columns say why
};

// What a transform leaves of a value, and what a column's rule keeps, is not hidden. Of rows that filters and samples
// leave out, values are looked for, too.
std::unique_ptr<Hidden> collect_hidden(const RulesFiles& files, SourceSampler& source,
                                       std::span<const SourceTable> tables, std::size_t sample_rows);

}  // namespace pgsluice
