// The health of a group, as status, /status and the metrics show it: plain data, gathered from the group's streams and
// KV bucket (gather.h), with the slot as the source's catalog or the replicator's last report shows it.
//
// Times are seconds; what is not known is empty. An empty `text` or 0 of a field that says so is the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/lsn.h"
#include "stream/position.h"

namespace pgsluice {

enum class HealthLevel { ok, warn, fail };

// What is not as it should be, for one part: "source", "slot", "replicator", "stream", "worker <name>", "dead letters".
struct HealthFinding {
    HealthLevel level = HealthLevel::warn;
    std::string part;
    std::string text;

    bool operator==(const HealthFinding&) const = default;
};

struct SlotHealth {
    std::string name;
    bool exists = false;
    bool active = false;       // a walsender reads it
    bool invalidated = false;  // it cannot be read any more
    std::string wal_status;    // of pg_replication_slots: reserved, extended, unreserved, lost
    Lsn confirmed;
    Lsn restart;
    Lsn wal_end;
    std::uint64_t behind_bytes = 0;          // from `confirmed` to the end of the WAL
    std::optional<double> behind_seconds;    // the walsender's flush_lag; 0 when nothing is behind
    std::uint64_t held_bytes = 0;            // WAL kept for it: from `restart` to the end
    std::optional<std::int64_t> safe_bytes;  // WAL that may still be written before it is lost; nothing: no limit
    std::optional<double> wal_bytes_per_second;
    std::optional<double> seconds_to_loss;  // at that rate
    std::int64_t seen_us = 0;               // when; microseconds since 2000-01-01 UTC

    bool operator==(const SlotHealth&) const = default;
};

struct SnapshotHealth {
    std::uint64_t epoch = 0;
    std::uint64_t tables = 0;
    std::uint64_t tables_done = 0;
    std::uint64_t rows = 0;
    double share = 0;  // 0 to 1
    std::optional<double> seconds_left;
    bool complete = false;
};

// Of a group whose targets begin with a dump.
struct BootstrapHealth {
    std::string state;  // waiting, accumulating, streaming; unknown: the KV bucket was lost
    Lsn point;          // not valid while the slot is being made
    std::string snapshot;
    std::optional<double> since;  // seconds
};

enum class PartState { unknown, waiting, snapshot, streaming, stream_full, stopped, dead };

struct ReplicatorHealth {
    PartState state = PartState::unknown;  // unknown: a build that does not report, or none was ever started
    bool failed = false;                   // stopped: by `last_error`
    bool finished = false;                 // stopped: it has copied all it was asked to (--copy)
    std::string waiting;                   // for what, when longer than ten seconds
    std::string last_error;                // the newest that ended one of its sessions
    std::optional<double> last_error_age;
    std::optional<double> report_age;
    Lsn published;  // all that committed before is in the stream
    std::optional<double> changes_per_second;
};

// A replicator that waits until it can take over (--standby).
struct StandbyHealth {
    std::string host;
    std::int64_t pid = 0;
    double report_age = 0;
    bool dead = false;  // it has not reported for long
};

struct StreamHealth {
    std::string name;
    bool exists = false;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::int64_t max_bytes = -1;  // -1: no limit
    StreamSeq first_seq;
    StreamSeq last_seq;
    std::optional<double> oldest_age;
    StreamSeq oldest_needed;       // 0: no worker is registered
    std::string oldest_needed_by;  // that worker
};

struct WorkerHealth {
    std::string name;
    std::string sink;
    PartState state = PartState::unknown;
    bool started = true;   // false: a share that was never started (worker --share)
    bool readable = true;  // false: its entry in KV is garbled, and nothing else here is known
    Position applied;
    Position durable;
    StreamSeq needs;                            // the first message it still needs
    std::uint64_t behind_messages = 0;          // of the stream
    std::optional<std::uint64_t> behind_bytes;  // of WAL, to the last commit in the stream
    std::optional<double> behind_seconds;  // since the commit of what it applies now; 0: it has applied all there is
    std::optional<double> changes_per_second;
    std::uint64_t loading_epoch = 0;  // 0: it loads no snapshot
    std::string waiting;
    bool failed = false;  // its last session was ended by `last_error`
    std::string last_error;
    std::optional<double> last_error_age;
    std::optional<double> report_age;
};

struct DeadLetterHealth {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

struct GroupHealth {
    std::string group;
    std::int64_t at_us = 0;  // microseconds since 2000-01-01 UTC
    ReplicatorHealth replicator;
    std::optional<StandbyHealth> standby;
    std::optional<SnapshotHealth> snapshot;
    std::optional<BootstrapHealth> bootstrap;
    bool rules_at_source = false;    // the replicator applies rules before it publishes
    std::optional<SlotHealth> slot;  // nothing: neither the source nor a report says
    StreamHealth stream;
    std::vector<WorkerHealth> workers;  // by name
    DeadLetterHealth dead_letters;
    std::vector<HealthFinding> findings;  // by judge(), the worst first
};

// When a number becomes a finding; nothing: never.
struct HealthThresholds {
    std::optional<double> warn_behind_seconds = 60;  // a worker or the slot
    std::optional<double> fail_behind_seconds;
    std::optional<double> warn_seconds_to_loss = 3600;  // of the slot
    std::optional<double> fail_seconds_to_loss = 300;
    std::optional<double> warn_stream_share = 0.9;  // of its limit
    double dead_after_seconds = 30;                 // without a report
    bool fail_dead_letters = false;                 // otherwise they are a warning
};

// Fills in `findings`. Pure.
void judge(GroupHealth& health, const HealthThresholds& thresholds);
HealthLevel level_of(const GroupHealth& health);

// One object; cmd/README.md, "Status as JSON", has the fields. They are kept, and others may be added.
std::string to_json(const GroupHealth& health);
// As in there, and as the replicator reports it (FORMAT.md, "Keys").
std::string to_json(const SlotHealth& slot);

const char* to_text(PartState state);    // "waiting for a full stream" is `stream_full`
const char* to_text(HealthLevel level);  // "ok", "warn", "fail"

}  // namespace pgsluice
