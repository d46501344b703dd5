// How the findings of `pgsluice check` are printed, and the exit code that they make.
#pragma once

#include <span>
#include <string>

#include "cmd/check/findings.h"
#include "cmd/exit_code.h"

namespace pgsluice {

// "fail source: its wal_level is 'replica', not 'logical'. Run ALTER SYSTEM ...", one line each, and a last line that
// counts them.
std::string report_text(std::span<const CheckFinding> findings);
// One object on one line. The names are kept, and documented in cmd/README.md.
std::string report_json(std::span<const CheckFinding> findings);
ExitCode report_code(std::span<const CheckFinding> findings);

}  // namespace pgsluice
