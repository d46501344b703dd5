// The tables of a group, for commands that look at their rows.
#pragma once

#include <stop_token>
#include <vector>

#include "cmd/cli/settings.h"
#include "stream/broker.h"
#include "worker/compare/tables.h"

namespace pgsluice {

// What the group has delivered; marked is what `chosen` takes, which is all by default. A stop Error when the source
// has none of the group's tables, or the group none of those that are named.
std::vector<PublishedTable> published_of_group(const Settings& settings, const TableChoice& chosen, Broker& broker,
                                               const std::stop_token& stop);

}  // namespace pgsluice
