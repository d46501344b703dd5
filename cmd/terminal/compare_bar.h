// The progress of a comparison as one line.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cmd/terminal/status_lines.h"
#include "worker/compare/progress.h"

namespace pgsluice {

// "3 of 12 tables [########------------]  42 %     4200000 rows    610000 rows/s  public.users"; no wider than
// `columns`.
std::string compare_bar(const CompareProgress& progress, std::size_t columns);

// Draws it until the comparison has ended.
OnCompareProgress draw_comparison(std::shared_ptr<StatusLines> lines);

}  // namespace pgsluice
