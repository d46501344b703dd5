// `pgsluice status --raw` shows what NATS has of a group; `pgsluice forget` removes a worker that is gone for good.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

// Lines. The streams, what the group keeps in its KV bucket, its workers; the slot.
std::vector<std::string> status_in_nats(Broker& broker, const Names& names);
std::vector<std::string> status_on_source(sql::Connection& source, const Names& names);

// `pgsluice status --raw`: prints to stdout; the slot only where the source is given.
void run_raw_status(Settings settings, const Log& log, std::stop_token stop);

// Removes a worker from the group, so that the stream is no longer kept for it. Refuses while the worker runs.
void run_forget(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
