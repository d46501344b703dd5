// What a worker hands to its sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stream/base/arena.h"
#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

// Changes in commit order, after the rules. All views in `changes` stay valid as long as the batch: they point into
// what `keep` owns or into `arena`.
struct Batch {
    std::vector<Change> changes;
    // Where the sink is once all of this batch (and everything before) is applied. Meaningful also when `changes` is
    // empty (rules dropped them all, or progress without data).
    Checkpoint upto;
    // Whether the batch ends between transactions. When false, more changes of the last transaction follow in the next
    // batch; a sink that promises whole transactions must not make them visible yet.
    bool complete = true;
    // Commit time of the last transaction that ends in the batch, microseconds since 2000-01-01 UTC; 0 if none does.
    std::int64_t commit_time_us = 0;
    // Where its transactions were first made (Transaction::made_in). Only where the sink has a home().
    std::string made_in;

    Arena arena;                     // for values made by rules
    std::vector<MessageOwner> keep;  // decoded blocks and relations the views point into

    void clear() {
        changes.clear();
        arena.clear();
        keep.clear();
        complete = true;
        commit_time_us = 0;
        made_in.clear();
    }
};

}  // namespace pgsluice
