// What a replicator is told. The command line, the environment and the YAML file fill this one struct, and so do tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "replicator/activity.h"
#include "replicator/snapshot/progress.h"
#include "rules/on_rules_change.h"
#include "sql/connection.h"
#include "stream/broker.h"
#include "stream/names.h"
#include "stream/waits.h"

namespace pgsluice {

struct ReplicatorMetrics;
struct RulesFiles;
std::shared_ptr<ReplicatorMetrics> new_replicator_metrics();

enum class ReplicatorMode {
    stream,           // changes from now on
    copy,             // the tables' rows, then exit
    copy_and_stream,  // both; the copy is made once per group, a later start resumes
};

enum class ConfirmMode {
    stream,   // the slot follows what JetStream has acknowledged
    applied,  // the slot follows the slowest registered worker's durable checkpoint
};

// What is asked for of a group whose targets begin with a dump (replicator/bootstrap/steps.h).
enum class BootstrapVerb {
    none,
    prepare,     // make the slot, hold its snapshot for the dump
    accumulate,  // the dump was taken: hold the snapshot no longer
    complete,    // the targets hold the dump: the workers may begin
};

// A command of its own, beside the replicator that runs.
inline bool is_bootstrap_step(BootstrapVerb verb) {
    return verb == BootstrapVerb::accumulate || verb == BootstrapVerb::complete;
}

class HeldSnapshot;
std::shared_ptr<HeldSnapshot> new_held_snapshot();

struct BootstrapOptions {
    BootstrapVerb verb = BootstrapVerb::none;
    std::string flag_file;  // completes once it exists; empty: none
    std::string command;    // completes once it succeeds; empty: none
    Lsn restored_to = {};   // of `complete`: the targets are a backup, restored up to there; not valid: a dump
    std::function<void(const std::string&)> tell = {};         // gets the commands to run; empty: only the log has them
    std::shared_ptr<HeldSnapshot> held = new_held_snapshot();  // of this process, across sessions; never null
};

// What a captured DDL command becomes.
enum class DdlContent {
    text,         // the command as the client sent it
    definitions,  // what it made of each object (FORMAT.md, "DDL")
};

// Which transactions are replicated, by who made them.
enum class OriginMode {
    any,   // all
    none,  // without those that have a replication origin: a worker, or native replication, brought them to the source
};

// What is replicated: all that these name together, less what is excluded (replicator/source/table_selection.h).
struct TableChoice {
    std::string schema = "public";            // of unqualified table names; all of it when nothing else is chosen
    std::vector<std::string> tables;          // names and patterns (stream/table_pattern.h)
    std::vector<std::string> schemas;         // whole schemas
    bool all_schemas = false;                 // but PostgreSQL's own and ours
    std::vector<std::string> exclude_tables;  // names and patterns

    // Whether nothing but the default schema is asked for.
    [[nodiscard]] bool by_default() const { return tables.empty() && schemas.empty() && !all_schemas; }
};

struct ReplicatorOptions : TableChoice {
    sql::ConnectOptions source;
    BrokerOptions nats;
    std::shared_ptr<const Waits> waits;  // of this process, shown to pgsluice status; may be null
    std::shared_ptr<ReplicatorActivity> activity = std::make_shared<ReplicatorActivity>();  // of this process
    std::shared_ptr<ReplicatorMetrics> metrics = new_replicator_metrics();  // of this process; never null
    Names names;                                                            // of the group
    ReplicatorMode mode = ReplicatorMode::stream;
    bool publish_via_partition_root = false;
    bool resnapshot = false;       // start over: a new slot and a new snapshot, after what the stream holds
    bool direct_snapshot = false;  // its rows are not published: a worker reads them from the source
    BootstrapOptions bootstrap;
    bool from_standby = false;  // the source may be a standby
    bool standby = false;       // while another replicator of the group is running, wait until it is gone
    bool track_ddl = false;
    DdlContent ddl_content = DdlContent::definitions;
    std::set<std::string> ddl_objects;  // classes of definitions that are captured, too: view, function, ...
    // A table that the source has rewritten is copied again up to this size, by the catalog's estimate; 0: any.
    std::uint64_t ddl_recopy_rows = 0;
    std::uint64_t ddl_recopy_bytes = 0;
    OriginMode origin = OriginMode::any;
    // Applied to everything before it is published, as they were read when the process started; null: none are given.
    std::shared_ptr<const RulesFiles> rules;
    OnRulesChange on_rules_change = OnRulesChange::stop;  // for what was published; `reload` is none of a replicator

    int max_copy_workers_per_table = 4;
    int max_copy_workers = 0;                      // in all; 0: the machine's cores, at least 2
    std::uint64_t copy_range_bytes = 64ULL << 20;  // of a table's file; what one connection copies at a time
    OnSnapshotProgress on_snapshot_progress;       // draws the copy's progress; empty: a log line every few seconds

    StreamConfig stream;
    PublisherLimits publisher;
    int stream_zstd_level = 0;  // that bodies are compressed with; 0: they are not
    ConfirmMode confirm = ConfirmMode::stream;
    bool assume_sync_always = false;          // do not print that the server syncs lazily
    std::int64_t stream_retain_ms = 3600000;  // keep what all workers applied at least this long

    std::uint64_t read_ahead_bytes = 0;                  // transactions that grow larger come while they run; 0: none
    std::uint64_t decoding_memory_bytes = 256ULL << 20;  // of the walsender, before it spills; 0: as the server says

    std::size_t block_bytes = 128 * 1024;  // a message is flushed at this size, or when the input runs dry
    int feedback_interval_ms = 1000;       // standby status to the source, also while publishing is blocked
    int table_check_interval_ms = 10000;   // how often the record of tables is compared with the catalog
    int slot_interval_ms = 10000;          // how often the slot monitor looks
    int progress_interval_ms = 3000;       // a progress marker at most this often
    int heartbeat_interval_ms = 0;         // how often a heartbeat is written to the source's log; 0: never
    int source_timeout_ms = 60000;         // a source that answers nothing for so long is taken for lost
};

}  // namespace pgsluice
