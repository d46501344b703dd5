// A table whose rows are being copied, to join the group or once more, is not at any LSN on the target until they are
// there: an interrupted copy leaves it empty. The group's record says so, and as of which LSN the copy was.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/names.h"

namespace pgsluice {

// Of the source; nothing: all of the group.
using ChosenTables = std::optional<std::set<Oid>>;

// One whose rows are still to be copied to the target: "schema.table". Empty when there is none, or the group keeps no
// record. With an `lsn`, also one that was copied as of a later one.
std::string uncopied(Broker& broker, const Names& names, const ChosenTables& chosen, Lsn lsn = {});

// Returns once there is none. Says every ten seconds what it waits for.
void await_copies(Broker& broker, const Names& names, const ChosenTables& chosen, const Log& log,
                  const std::stop_token& stop);

}  // namespace pgsluice
