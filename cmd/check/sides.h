// Which of the two processes is checked: by --side and the ends that are given.
#pragma once

#include "cmd/cli/settings.h"

namespace pgsluice {

inline bool checks_replicator(const Settings& settings) {
    return settings.check.side != CheckSide::worker && is_given(settings.replicator.source);
}

inline bool checks_worker(const Settings& settings) {
    return settings.check.side != CheckSide::replicator && is_given(settings.postgres.target);
}

}  // namespace pgsluice
