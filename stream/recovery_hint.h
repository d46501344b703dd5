// What to do when a group cannot continue as it is, for hints: worker/README.md, "Starting over".
#pragma once

#include <string>

namespace pgsluice {

// A new snapshot brings what was lost, trimmed or never received. The first hint is the start of a sentence.
inline constexpr const char* resnapshot_hint = "Run the replicator once with --copy-and-stream --resnapshot";
// A worker that is started before the snapshot is announced would find nothing new, and a target holds rows already.
inline constexpr const char* resnapshot_then_start_worker_hint =
    "Run the replicator once with --copy-and-stream --resnapshot. Once it is copying, start this worker again, a "
    "postgres worker with --target-existing-rows truncate.";
// A snapshot after a hole does not help a reader to get past the hole.
inline constexpr const char* recreate_group_hint =
    "Messages were deleted by hand, or the NATS account was full. Stop all of the group and remove it with pgsluice "
    "teardown --yes, which needs the --target-url of its postgres workers. Then start its replicator with "
    "--copy-and-stream and its workers again: postgres workers with --target-existing-rows truncate, file workers with "
    "an empty directory.";

// A message with the replicator's headers that cannot be what the replicator wrote.
inline std::string foreign_message_hint(const std::string& group) {
    return "Another program may have published it. See it with pgsluice repair --group " + group +
           ", and remove it with pgsluice repair --group " + group + " --yes.";
}

}  // namespace pgsluice
