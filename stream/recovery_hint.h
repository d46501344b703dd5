// The ways out when a group cannot go on as it is, for hints: README, "Starting over".
#pragma once

namespace pgsluice {

// What was lost, trimmed or never seen comes with a new copy.
inline constexpr const char* resnapshot_hint = "Run the replicator once with --copy-and-stream --resnapshot";
inline constexpr const char* resnapshot_then_start_worker_hint =
    "Run the replicator once with --copy-and-stream --resnapshot, then start this worker again";
// A copy behind a hole does not help a reader across it.
inline constexpr const char* start_group_anew_hint =
    "Somebody deleted messages by hand, or the NATS account was full. Remove the group with pgsluice teardown, then "
    "start it anew with --copy-and-stream, its workers too";

}  // namespace pgsluice
