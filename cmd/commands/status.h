// `pgsluice status`: how a group is doing, for people. `pgsluice forget`: a worker that will not come back.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "sql/connection.h"
#include "stream/broker.h"
#include "stream/log.h"
#include "stream/names.h"

namespace pgsluice {

// Lines. The streams, what the group keeps in its KV bucket, its workers; the slot.
std::vector<std::string> status_in_nats(Broker& broker, const Names& names);
std::vector<std::string> status_on_source(sql::Connection& source, const Names& names);

// Prints to stdout; the source's side only where the source is given.
void run_status(Settings settings, const Log& log, std::stop_token stop);

// Takes a worker off the registry, so that the stream no longer keeps what it needs. One that still runs comes back.
void run_forget(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
