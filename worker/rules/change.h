// What a worker does at its start when rows that it has delivered are not as its files and flags now say.
//
//   rows differ because of            and                                               outcome
//   --------------------------------  ------------------------------------------------  ----------------------
//   rules, --target-existing-rows     their snapshot is still loading, the stream        load it again
//                                     holds it whole, and the sink can throw away
//                                     what it has loaded
//   rules, --target-existing-rows     a later snapshot is to come and replaces rows      wait for that
//   --target-existing-rows truncate   otherwise                                          stop
//   rules                             --on-rules-change continue                         leave the rows as they are
//   rules                             --on-rules-change reload, the stream holds the     load that snapshot again
//                                     newest snapshot whole
//   rules                             otherwise                                          stop
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/delivered.h"
#include "worker/options.h"

namespace pgsluice {

struct RulesChange {
    std::string worker;
    OnRulesChange on_change = OnRulesChange::stop;
    bool targets_tables = false;        // rows are in tables of a target, see --target-existing-rows
    std::vector<ChangedTable> changed;  // by the rules
    // --target-existing-rows says truncate, and the last snapshot to begin did not do that.
    bool kept_rows = false;
    bool loading = false;         // a snapshot of the whole group has begun and not ended
    bool added_loading = false;   // the same of tables that joined it
    bool takes_back = false;      // Sink::takes_back()
    bool replaces_rows = false;   // Sink::snapshot_replaces_rows()
    bool snapshot_held = false;   // the stream holds the newest snapshot of the group from its begin marker on
    bool snapshot_ahead = false;  // a later one than the sink has is in the stream, or about to begin
};

enum class Remedy { none, load_again, await_snapshot, accept };

// Throws a stop Error for the rows of the table that say so.
Remedy decide_remedy(const RulesChange& change);

}  // namespace pgsluice
