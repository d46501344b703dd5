#include "cmd/ending.h"

#include "sql/outage.h"

namespace pgsluice {

ExitCode exit_code(const Error& error) {
    switch (error.action()) {
        case Action::retry:
            return refuses_start(error) ? exit_stopped : exit_gave_up;
        case Action::stop:
            return exit_stopped;
        case Action::usage:
            return exit_usage;
    }
    return exit_bug;
}

}  // namespace pgsluice
