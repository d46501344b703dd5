#include "worker/rules/change.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

// A worker that is started before the snapshot is announced would find nothing new.
std::string after_resnapshot(const char* flags) {
    return fmt::format("{}. Once it is copying, start this worker again{}", resnapshot_hint, flags);
}

Error kept_rows(const RulesChange& change) {
    return stop_error(
        fmt::format("unable to start worker '{}' with --target-existing-rows truncate: its last snapshot began without "
                    "it, so the target may hold rows that the source does not have",
                    change.worker),
        after_resnapshot(".") + " Or start it without --target-existing-rows, which leaves the rows.");
}

bool can_reload(const RulesChange& change) {
    const bool in_way = (change.loading || change.added_loading) && !change.takes_back;
    return change.snapshot_held && change.replaces_rows && !in_way;
}

std::string deliver_again(const RulesChange& change) {
    if (can_reload(change))
        return "To deliver the rows again, start the worker once with --on-rules-change reload: the stream still holds "
               "the "
               "snapshot. ";
    const char* flags = change.targets_tables ? " with --target-existing-rows truncate" : "";
    return after_resnapshot(flags) + ", to deliver the rows again. ";
}

Error changed_rules(const RulesChange& change) {
    return stop_error(fmt::format("unable to start worker '{}': {}", change.worker, rules_changed(change.changed)),
                      entry_hint(change.changed) + deliver_again(change) + accept_hint);
}

}  // namespace

Remedy decide_remedy(const RulesChange& change) {
    if (change.changed.empty() && !change.kept_rows) return Remedy::none;
    if (change.loading && change.takes_back && change.snapshot_held) return Remedy::load_again;
    if (change.snapshot_ahead && change.replaces_rows) return Remedy::await_snapshot;
    if (change.kept_rows) throw kept_rows(change);
    if (change.on_change == OnRulesChange::accept) return Remedy::accept;
    if (change.on_change == OnRulesChange::reload && can_reload(change)) return Remedy::load_again;
    throw changed_rules(change);
}

}  // namespace pgsluice
