// What the replicator does, and check, which looks before it.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array replicator_table{
    // check.
    Flag{"side", text, "WHICH", "both", command_check, 0,
         [](S& s, V v) {
             s.check.side = parse_choice<CheckSide>(
                 v, {{"both", CheckSide::both}, {"replicator", CheckSide::replicator}, {"worker", CheckSide::worker}});
         }, "Whose needs to check: `both`, or only those of the `replicator` or of the `worker`, where each has a NATS user of its own. For the worker a given source only shows its tables."},
    Flag{"nats-monitoring-url", text, "URL", "", command_check, 0,
         [](S& s, V v) { s.check.monitoring_url = present(v); },
         "nats-server's monitoring (`http_port`), such as `http://nats.example:8222`: shows how often it syncs its disk, what it may still store, and its clock."},

    // What the replicator does.
    Flag{"stream", boolean, "", "", replicator | command_check_leaks, 0,
         [](S& s, V v) { s.mode_stream = s.finding.in_stream = parse_boolean(v); },
         "Follow changes from now on. The default when no mode is given. Of `check leaks`: look in the group's stream, too."},
    Flag{"copy", boolean, "", "", replicator, 0,
         [](S& s, V v) { s.mode_copy = parse_boolean(v); }, "Copy the tables, then exit with code 0."},
    Flag{"copy-and-stream", boolean, "", "", replicator, 0,
         [](S& s, V v) { s.mode_copy_and_stream = parse_boolean(v); },
         "Copy the tables, then follow changes, without gap or overlap. The copy is made once per group; a later start resumes."},
    Flag{"resnapshot", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.resnapshot = parse_boolean(v); },
         "Start over: a new slot and a new snapshot, after what the stream holds. Workers discard what an unfinished snapshot loaded; for a finished one see --target-existing-rows. A worker that has missed messages starts with the new snapshot."},
    Flag{"snapshot", text, "WAY", "stream", replicator | postgres, 0,
         [](S& s, V v) {
             s.replicator.direct_snapshot = s.worker.direct_snapshot =
                 parse_choice<bool>(v, {{"stream", false}, {"direct", true}});
         }, "Which way the rows of the snapshot take: through the `stream`, for any worker; or `direct`, where one postgres worker reads them from the source (--source-url) and only changes come through the stream. Give it to the replicator and to that worker."},
    Flag{"bootstrap", text, "VERB", "", replicator, 0,
         [](S& s, V v) {
             s.replicator.bootstrap.verb = parse_choice<BootstrapVerb>(
                 v, {{"prepare", BootstrapVerb::prepare}, {"accumulate", BootstrapVerb::accumulate}, {"complete", BootstrapVerb::complete}});
         }, "Begin with a dump instead of a copy: `prepare` makes the slot, prints the pg_dump command and holds its snapshot; workers wait. `complete`, as a second command, says that the targets hold the dump. `accumulate` says that it was taken, so that the snapshot is no longer held."},
    Flag{"bootstrap-flag", text, "FILE", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.flag_file = present(v); },
         "Completes the bootstrap once this file exists."},
    Flag{"bootstrap-command", text, "COMMAND", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.command = present(v); },
         "Completes the bootstrap once this command of `sh` succeeds; until then it is run again and again. It finds the pg_dump command in `$BOOTSTRAP_DUMP`."},
    Flag{"bootstrap-lsn", text, "LSN", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.restored_to = lsn(v); },
         "With `--bootstrap complete`: the targets are no dump but a backup that was taken after `prepare`, restored up to this LSN of the source (`recovery_target_lsn`, not inclusive)."},
    Flag{"from-standby", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.from_standby = parse_boolean(v); },
         "The source may be a standby (PostgreSQL 16 or later). The publication is made on its primary before, and DDL is not captured."},
    Flag{"standby", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.standby = parse_boolean(v); },
         "While another replicator of the group is running, stand by, and take over when it ends or is cut off from the source or NATS. Give it to all replicators of the group."},
    Flag{"max-copy-workers-per-table", text, "N", "4", replicator, 0,
         [](S& s, V v) { s.replicator.max_copy_workers_per_table = small(v, 1, 256); }, "How many page ranges of one table are copied at a time."},
    Flag{"max-copy-workers", text, "N", "0", replicator, 0,
         [](S& s, V v) { s.replicator.max_copy_workers = small(v, 0, 256); },
         "How many page ranges of all tables are copied at a time; 0: as many as the machine has cores, at least 2."},
    Flag{"publish-via-partition-root", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.publish_via_partition_root = parse_boolean(v); },
         "Partitions appear under their root table's name."},
    Flag{"track-ddl", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.track_ddl = parse_boolean(v); },
         "Capture DDL of the tables; where a whole schema or a pattern takes them in, also new tables that have a primary key. Needs a superuser once."},
    Flag{"ddl-capture", text, "WHAT", "definitions", replicator, 0,
         [](S& s, V v) { s.replicator.ddl_content = parse_choice<DdlContent>(v, {{"text", DdlContent::text}, {"definitions", DdlContent::definitions}}); },
         "What --track-ddl captures: the `definitions` of the objects before and after, whoever ran the command and how, and with the values that the source computed; or the commands' `text`, as earlier versions did."},
    Flag{"ddl-objects", list, "views,...", "", replicator, 0, add_ddl_objects,
         "With --track-ddl, which objects are captured beside tables and what belongs to them: `views`, `functions`, `triggers`, `policies`, `grants` (rights on tables). Their text is passed on as it is."},
    Flag{"ddl-recopy-limit", text, "LIMIT", "", replicator, 0, set_recopy_limit,
         "With --track-ddl, a table whose values the source computed again in an ALTER TABLE is copied again; above this size, as the source's catalog estimates it (`50GiB`, `10000000rows`), the replicator stops instead. By default, and with 0, any size is copied."},
    Flag{"origin", text, "WHAT", "any", replicator, 0,
         [](S& s, V v) { s.replicator.origin = parse_choice<OriginMode>(v, {{"any", OriginMode::any}, {"none", OriginMode::none}}); },
         "Which transactions to replicate: `any`, also those that a worker or a subscription brought to the source; `none`, without them. A worker never writes back to a database what was made there."},
    Flag{"stream-max-bytes", text, "SIZE", "", replicator, 0,
         [](S& s, V v) { s.replicator.stream.max_bytes = parse_bytes(v) > 0 ? parse_bytes(v) : -1; },
         "Limit of the stream's size; by default, and with 0, unlimited. A full stream makes the replicator wait; nothing is lost."},
    Flag{"read-ahead", text, "SIZE", "0", replicator, 0,
         [](S& s, V v) { s.replicator.read_ahead_bytes = static_cast<std::uint64_t>(parse_bytes(v)); },
         "A transaction that grows larger than this is read while it is running, and kept here, in a file below `$TMPDIR`, until it commits: the source does not spill it to its disk. 0: transactions are read once they have committed."},
    Flag{"decoding-memory", text, "SIZE", "256MiB", replicator, 0,
         [](S& s, V v) { s.replicator.decoding_memory_bytes = static_cast<std::uint64_t>(parse_bytes(v)); },
         "Without --read-ahead, how much of open transactions the source may keep in memory before it spills them to disk (`logical_decoding_work_mem` of the replicator's session). Never below the server's own setting; 0 uses that."},
    Flag{"stream-replicas", text, "N", "1", replicator, 0,
         [](S& s, V v) { s.replicator.stream.replicas = small(v, 1, 5); }, "Copies of the stream in a NATS cluster."},
    Flag{"stream-compression", text, "HOW", "none", replicator, 0, set_stream_compression,
         "Whether rows and changes are compressed before they are published: `none`, or `zstd`, with a level from 1 (the default) to 19 as `zstd:3`. Workers must be of this version or later; start them first."},
    Flag{"stream-retain", text, "DURATION", "1h", replicator, 0,
         [](S& s, V v) { s.replicator.stream_retain_ms = parse_duration_ms(v); },
         "How long messages are kept at least after every worker has applied them, so that another worker may still join."},
    Flag{"confirm", text, "WHAT", "stream", replicator, 0,
         [](S& s, V v) { s.replicator.confirm = parse_choice<ConfirmMode>(v, {{"stream", ConfirmMode::stream}, {"applied", ConfirmMode::applied}}); },
         "When the slot may forget a change: `stream`, once JetStream has acknowledged it, or `applied`, once every worker has durably applied it."},
    Flag{"heartbeat-interval", text, "DURATION", "0", replicator, 0,
         [](S& s, V v) { s.replicator.heartbeat_interval_ms = heartbeat_interval(v); },
         "How often to commit a small message to the source's log (`pg_logical_emit_message`; no table is needed), by which workers measure how long a commit takes to reach them, also where no one else commits; at least 1s. 0: never."},
    Flag{"assume-sync-always", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.assume_sync_always = parse_boolean(v); },
         "nats-server runs with `sync_interval: always`: do not warn at start that it syncs its disk late."},
};
// clang-format on

}  // namespace

std::span<const Flag> replicator_flags() { return replicator_table; }

}  // namespace pgsluice
