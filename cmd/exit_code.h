// What the process's exit code tells; documented in cmd/README.md.
#pragma once

namespace pgsluice {

enum ExitCode {
    exit_done = 0,     // finished, or asked to stop
    exit_stopped = 1,  // someone has to act first
    exit_usage = 2,    // flags, environment or configuration are wrong
    exit_bug = 3,      // pgsluice did what it must never do
    exit_gave_up = 4,  // a server did not answer at start; the same may succeed later

    // Of pgsluice status and check, where all is well with 0.
    exit_warn = 1,
    exit_fail = 2,  // or it cannot tell
};

}  // namespace pgsluice
