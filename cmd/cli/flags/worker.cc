// What all workers share, and those that write lines.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array worker_table{
    // What all workers share.
    Flag{"worker-name", text, "NAME", "", commands_worker | command_forget | command_dlq_replay | comparing | command_sequences | commands_ddl, command_forget,
         [](S& s, V v) { s.worker.worker = present(v); },
         "The worker's name within its group; by default the sink's name. Needed for two workers of the same kind of sink."},
    Flag{"share", text, "K/N", "", commands_worker | command_forget | command_dlq_replay, 0,
         [](S& s, V v) { s.worker.share = share(v, s.worker.share.by); },
         "Take this share of the rows, such as `2/4`: N workers of one name, one for each K from 1 to N, have all of them once. A postgres worker needs --share-by table."},
    Flag{"share-by", text, "WHAT", "key", commands_worker | command_forget | command_dlq_replay, 0,
         [](S& s, V v) { s.worker.share.by = parse_choice<ShareBy>(v, {{"key", ShareBy::key}, {"table", ShareBy::table}}); },
         "What decides on a row's share: its `key`, so that all changes of one key come in order; or the name of its `table`, so that transactions stay whole within each share's tables."},
    Flag{"rules-config", text, "FILE", "", replicator | commands_worker | commands_import | command_check_rules | command_check_leaks | command_decrypt | comparing, command_decrypt,
         [](S& s, V v) { s.worker.rules.rules_file = present(v); }, "The rules file (YAML): filter rows, mask or rewrite values, exclude columns. Given to the replicator, before anything is published."},
    Flag{"routing-config", text, "FILE", "", commands_worker | commands_import | command_check_rules | command_check_leaks | comparing, 0,
         [](S& s, V v) { s.worker.rules.routing_file = present(v); }, "The routing file (YAML): other table and column names."},
    Flag{"on-rules-change", text, "WHAT", "stop", replicator | commands_worker, 0,
         [](S& s, V v) {
             s.worker.on_rules_change = parse_choice<OnRulesChange>(
                 v, {{"stop", OnRulesChange::stop}, {"continue", OnRulesChange::accept}, {"reload", OnRulesChange::reload}});
         },
         "Rows were delivered under other rules or routes than those of now: `stop` and name the tables and columns, `continue` and leave the rows as they are, or, of a worker, `reload` the tables from the snapshot that the stream still holds."},
    Flag{"batch-size", text, "N", "1000", commands_worker, 0,
         [](S& s, V v) { s.worker.batch_size = static_cast<std::size_t>(parse_integer(v, 1, 1'000'000)); }, "At most this many changes per batch."},
    Flag{"drain-timeout", text, "DURATION", "5s", commands_worker, 0,
         [](S& s, V v) { s.worker.drain_timeout_ms = milliseconds_or_0(v); },
         "On SIGTERM or SIGINT, apply what the stream held at that moment, for this long at most; 0: end at once, as a second signal does. The next start continues with the rest."},
    Flag{"exit-after-snapshot", boolean, "", "false", commands_worker, 0,
         [](S& s, V v) { s.worker.exit_after_snapshot = parse_boolean(v); }, "Exit with code 0 when the newest snapshot is applied; at once if it already is. A worker started together with `replicator --resnapshot` may still find the snapshot before that one: start it once the replicator logs that it is copying."},
    Flag{"exit-at-lsn", text, "LSN", "", commands_worker, 0,
         [](S& s, V v) { s.worker.exit_at_lsn = lsn(v); }, "Exit with code 0 when everything committed before this LSN is applied."},

    // worker stdout, file, webhook, nats.
    Flag{"format", text, "FORMAT", "pg_flo", line_sinks | command_dlq_replay, 0, set_format, "Format of the JSON: `pg_flo` or `debezium`."},
    Flag{"checkpoint-file", text, "FILE", "", command_worker_stdout, 0,
         [](S& s, V v) { s.standard_output.checkpoint_file = present(v); },
         "Keep the position in this file; by default in the group's KV bucket."},
    Flag{"file-output-dir", text, "DIR", "", file_sinks, file_sinks,
         [](S& s, V v) { s.file.output_dir = present(v); }, "Directory of the files. One worker per directory."},
    Flag{"file-max-size", text, "SIZE", "100MiB", file_sinks, 0,
         [](S& s, V v) {
             s.file.max_size_bytes = static_cast<std::uint64_t>(parse_bytes(v));
             if (s.file.max_size_bytes == 0) throw BadValue("expected a size above 0");
         }, "A file is finished after the batch, and the transaction, that makes it this large."},
    Flag{"file-max-age", text, "DURATION", "1h", file_sinks, 0,
         [](S& s, V v) {
             s.file.max_age_ms = parse_duration_ms(v);
             if (s.file.max_age_ms == 0) throw BadValue("expected a duration above 0");
         }, "A file is finished at this age."},
    Flag{"file-compression", text, "HOW", "none", file_sinks, 0,
         [](S& s, V v) { s.file.zstd = parse_choice<bool>(v, {{"none", false}, {"zstd", true}}); }, "`none` or `zstd`."},
};
// clang-format on

}  // namespace

std::span<const Flag> worker_flags() { return worker_table; }

}  // namespace pgsluice
