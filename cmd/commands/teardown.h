// `pgsluice teardown`: lists what a group has on the source, in NATS and on the target, and removes it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct Leftover {
    std::string what;              // "slot 'pgsluice_shop' on source h:5432/shop"
    std::function<void()> remove;  // may be called again after a failure
};

// In the order of removal: the slot first, because it pins WAL. The connections must outlive the result.
std::vector<Leftover> leftovers_on_source(sql::Connection& source, const Names& names);
std::vector<Leftover> leftovers_in_nats(Broker& broker, const Names& names);
std::vector<Leftover> leftovers_on_target(sql::Connection& target, const Names& names);

// Lists on stdout, and with settings.yes removes. Safe to repeat, also after an interruption.
void run_teardown(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
