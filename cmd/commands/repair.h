// `pgsluice repair`: lists what is not a group's own in its stream, its KV bucket and its dead letters, and removes it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct Foreign {
    std::string what;              // "KV key 'worker.x': not JSON"
    std::function<void()> remove;  // empty: `what` says why it is not removed
};

// Keys whose value cannot be read. Keys that are not known are left alone: a later version may have them. A removed key
// counts as lost: the group continues without it.
std::vector<Foreign> foreign_keys(Broker& broker, const Names& names);
// Messages that no worker parked as a dead letter.
std::vector<Foreign> foreign_letters(Broker& broker, const Names& names);

// Lists on stdout, and with settings.yes removes. Safe to repeat.
void run_repair(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
