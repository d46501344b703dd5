#include "worker/share/targets.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"
#include "worker/share/filter.h"

namespace pgsluice {

SharedTargets::SharedTargets(const Share& share, TargetOf target_of)
    : share_(share), target_of_(std::move(target_of)) {}

void SharedTargets::add(const Relation& table) {
    const auto target = target_of_(table);
    if (!target) return;
    const Filled now{table.oid, {table.schema, table.table}, share_number(table, share_)};
    const auto [found, added] = filled_.try_emplace({target->schema, target->table}, now);
    const Filled& first = found->second;
    if (added || first.share == now.share || first.by == now.by) return;
    throw stop_error(fmt::format("unable to share by table: '{}.{}' and '{}.{}' are routed to one table, and are in "
                                 "different shares of {}",
                                 table.schema, table.table, first.name.schema, first.name.table, share_.count),
                     "Start one worker for all rows, without --share; or try another number of shares.");
}

}  // namespace pgsluice
