// What to do when a group cannot continue as it is, for hints: worker/README.md, "Starting over".
#pragma once

namespace pgsluice {

// A new snapshot brings what was lost, trimmed or never received. The first hint is the start of a sentence.
inline constexpr const char* resnapshot_hint = "Run the replicator once with --copy-and-stream --resnapshot";
inline constexpr const char* resnapshot_then_start_worker_hint =
    "Run the replicator once with --copy-and-stream --resnapshot, then start this worker again.";
// A snapshot after a hole does not help a reader to get past the hole.
inline constexpr const char* recreate_group_hint =
    "Messages were deleted by hand, or the NATS account was full. Remove the group with pgsluice teardown, then start "
    "its replicator with --copy-and-stream and its workers again.";

}  // namespace pgsluice
