// What to do when a group cannot continue as it is, for hints: worker/README.md, "Starting over".
#pragma once

#include <string>

namespace pgsluice {

// A new snapshot brings what was lost, trimmed or never received. The first hint is the start of a sentence.
inline constexpr const char* resnapshot_hint = "Run the replicator once with --copy-and-stream --resnapshot";
inline constexpr const char* resnapshot_then_start_worker_hint =
    "Run the replicator once with --copy-and-stream --resnapshot, then start this worker again.";
// A snapshot after a hole does not help a reader to get past the hole.
inline constexpr const char* recreate_group_hint =
    "Messages were deleted by hand, or the NATS account was full. Remove the group with pgsluice teardown, then start "
    "its replicator with --copy-and-stream and its workers again.";

// A message with the replicator's headers that cannot be what the replicator wrote.
inline std::string foreign_message_hint(const std::string& group) {
    return "Another program may have published it. See it with pgsluice repair --group " + group +
           ", and remove it with pgsluice repair --group " + group + " --yes.";
}

}  // namespace pgsluice
