// What may be done to a group whose targets begin with a dump, in which state.
//
//   the group is                prepare             accumulate    complete   a replicator without a verb
//   --------------------------  ------------------  ------------  ---------  --------------------------------
//   new                         slot and snapshot   refused       refused    as ever
//   begun, not bootstrapped     refused (*)         refused       refused    as ever
//   waiting for its slot        slot and snapshot   refused       refused    refused: to be prepared again
//   waiting, the snapshot held  refused (*)         accumulating  streaming  (that replicator runs)
//   waiting, the snapshot lost  refused (*)         accumulating  streaming  refused: only people know whether
//                                                                            a dump of it was taken
//   accumulating                refused (*)         refused       streaming  continues
//   streaming                   refused (*)         refused       refused    continues
//   unknown: the bucket lost    refused (*)         accumulating  streaming  refused: only people know whether
//                                                                            the targets hold the dump
//
// (*) Not with --resnapshot, which starts the group over.
#pragma once

#include <optional>

#include "replicator/options.h"
#include "stream/group/bootstrap_record.h"

namespace pgsluice {

struct BootstrapFacts {
    const Names& names;
    std::optional<BootstrapRecord> record;
    bool begun = false;  // the stream holds more than the message that begins it
    bool held = false;   // this very process holds the record's snapshot
};

enum class BootstrapStart : std::uint8_t {
    none,     // nothing to do about it
    prepare,  // begins, or begins again, whatever an unfinished attempt has left
    under_way,
};

// Of a replicator that starts. Throws the stop Error that says why not.
BootstrapStart decide_bootstrap(const BootstrapOptions& options, bool resnapshot, const BootstrapFacts& facts);
// Of `accumulate` and `complete`: the state that they lead to, or the stop Error.
BootstrapState decide_step(BootstrapVerb verb, const Names& names, const std::optional<BootstrapRecord>& record);

}  // namespace pgsluice
