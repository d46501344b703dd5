// `pgsluice dlq`: lists a group's dead letters, applies them, or discards them.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

// One line each: who parked what and why. Shows no values but those in the reason.
void run_dlq_list(Settings settings, const Log& log, std::stop_token stop);
// Applies the letters of a PostgreSQL or webhook worker in order, each in a transaction or request of its own, and
// erases what is applied. Stops at the first that is refused again. For a PostgreSQL target the worker must not run
// (its lock is taken), and no letter is applied twice, even if a replay is killed; a webhook's receiver may see a
// letter again, with the same Idempotency-Key.
void run_dlq_replay(Settings settings, const Log& log, std::stop_token stop);
// Lists the letters, and with settings.yes erases them.
void run_dlq_discard(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
