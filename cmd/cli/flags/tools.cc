// Commands that look at a group, compare, move or remove.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array tools_table{
    // check rules.
    Flag{"sample", text, "N", "0", command_check_rules, 0,
         [](S& s, V v) { s.sample = small(v, 0, 10'000); }, "How many rows of each table to show before and after the rules."},

    Flag{"suggest", boolean, "", "false", command_check_rules, 0,
         [](S& s, V v) { s.finding.suggest = parse_boolean(v); },
         "Look for personal data in the source's tables, by names, types, comments, labels and a sample of values, and print a rules file that hides it, with reasons, and without values."},
    Flag{"coverage", boolean, "", "false", command_check_rules, 0,
         [](S& s, V v) { s.finding.coverage = parse_boolean(v); },
         "Print the columns that no rule names, as JSON. Exit code 1 when there is one in strict mode."},
    Flag{"sample-rows", text, "N", "2000", command_check_rules | command_check_leaks, 0,
         [](S& s, V v) { s.finding.sample_rows = static_cast<std::size_t>(small(v, 1, 1'000'000)); },
         "How many rows of each of the source's tables to look at."},

    // decrypt.
    Flag{"column", text, "NAME", "", command_decrypt, command_decrypt,
         [](S& s, V v) { s.decrypted_column = present(v); },
         "The column whose rules have encrypted the values, as `table.column` or `schema.table.column`, with the table's name as in the rules file; with --source-url also one that inherits them along a foreign key."},

    // compare.
    Flag{"rate", text, "N", "0", comparing, 0,
         [](S& s, V v) { s.compare.rows_per_second = static_cast<std::uint64_t>(parse_integer(v, 0, 1'000'000'000)); },
         "Read at most so many rows a second at each end; 0: as fast as it goes."},
    Flag{"sample-percent", text, "P", "0", comparing, 0,
         [](S& s, V v) { s.compare.sample_percent = percent(v); },
         "Compare only so much of each table, at the places of its key that both ends agree on; 0: all rows. Where an index finds these, little else is read."},
    Flag{"compare-workers", text, "N", "2", comparing, 0,
         [](S& s, V v) { s.compare.connections = small(v, 1, 64); }, "Connections that read, at each end."},
    Flag{"max-differences", text, "N", "20", comparing, 0,
         [](S& s, V v) { s.compare.max_differences = static_cast<std::size_t>(parse_integer(v, 1, 100'000)); },
         "Rows listed of each table that differs."},
    Flag{"show-values", boolean, "", "false", command_compare, 0,
         [](S& s, V v) { s.compare.show_values = parse_boolean(v); }, "List the values that differ, not only their columns. Keys are always shown."},
    Flag{"repair", boolean, "", "false", command_compare, 0,
         [](S& s, V v) { s.compare.repair = parse_boolean(v); }, "Write the source's rows over those that differ. The worker stands still for each 500 of them."},

    // cutover.
    Flag{"stop-writes", text, "HOW", "tables", command_cutover, 0,
         [](S& s, V v) {
             s.cutover.stop_writes = parse_choice<StopWrites>(v, {{"tables", StopWrites::tables}, {"none", StopWrites::none}});
         }, "What keeps the application from writing to the source: `tables`, a trigger on each moved table refuses it; `none`, you have stopped it, and keep it so."},
    Flag{"max-write-stop", text, "DURATION", "30s", command_cutover, 0,
         [](S& s, V v) { s.cutover.max_write_stop_ms = milliseconds(v); },
         "If the target has not followed by then, the source may be written to again, and the cutover has failed."},
    Flag{"max-lag", text, "DURATION", "2s", command_cutover, 0,
         [](S& s, V v) { s.cutover.max_lag_ms = milliseconds(v); }, "Writes are not stopped before slot and worker are at most so far behind."},
    Flag{"compare", text, "WHEN", "both", command_cutover, 0,
         [](S& s, V v) {
             s.cutover.compare = parse_choice<CompareAt>(v, {{"before", CompareAt::before}, {"after", CompareAt::after},
                                                             {"both", CompareAt::both}, {"none", CompareAt::none}});
         }, "When to compare source and target: `before` writes are stopped; `after`, as of the cutover, while the application already writes to the target; `both`; `none`."},
    Flag{"compare-tables", list, "TABLE,...", "", command_cutover, 0,
         [](S& s, V v) { s.cutover.compare_tables.emplace_back(v); }, "Compare only these tables of the source; names and patterns as in --tables."},
    Flag{"reverse", text, "GROUP", "", command_cutover, 0,
         [](S& s, V v) { s.cutover.reverse = names_for(v).group; },
         "Make a group of this name that leads back, from the target to the source, and misses nothing of what is written to the target."},
    Flag{"undo", boolean, "", "false", command_cutover, 0,
         [](S& s, V v) { s.cutover.undo = parse_boolean(v); },
         "Only let the source's tables be written to again, and forget that the group was cut over. What was written to the target does not come back by that."},

    // compare, tables, status and what checks.
    Flag{"json", boolean, "", "false", command_compare | command_tables | command_status | command_check | command_check_rules | command_check_leaks, 0,
         [](S& s, V v) { s.json = s.compare.json = s.status.json = s.check.json = parse_boolean(v); }, "Print JSON: one object, of `tables` an array with an object for each table, of `status` one line for each group."},

    // status.
    Flag{"all", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.all = parse_boolean(v); }, "Every group that has a stream on this NATS server, without asking their sources."},
    Flag{"watch", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.watch = parse_boolean(v); }, "Look every two seconds, and redraw on a terminal. Ends with 0 when asked to stop."},
    Flag{"raw", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.raw = parse_boolean(v); }, "Print the streams, the keys of the group's KV bucket as they are, its workers and its slot. Exit code 0, however the group is."},
    Flag{"warn-behind", text, "DURATION", "1m", watches, 0,
         [](S& s, V v) { s.status.thresholds.warn_behind_seconds = seconds_or_never(v); },
         "Warn of a worker, or a slot, that is this far behind; 0: never."},
    Flag{"fail-behind", text, "DURATION", "0", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_behind_seconds = seconds_or_never(v); }, "The same as a failure."},
    Flag{"warn-slot-time", text, "DURATION", "1h", watches, 0,
         [](S& s, V v) { s.status.thresholds.warn_seconds_to_loss = seconds_or_never(v); },
         "Warn of a slot that is lost sooner than this at the present rate of WAL (`max_slot_wal_keep_size`); 0: never."},
    Flag{"fail-slot-time", text, "DURATION", "5m", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_seconds_to_loss = seconds_or_never(v); }, "The same as a failure."},
    Flag{"dead-after", text, "DURATION", "30s", watches, 0,
         [](S& s, V v) { s.status.thresholds.dead_after_seconds = milliseconds(v) / 1000.0; },
         "A worker or replicator that has not reported for so long, and did not say that it ended, is dead: a failure."},
    Flag{"fail-dead-letters", boolean, "", "false", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_dead_letters = parse_boolean(v); }, "Dead letters are a failure, not a warning."},

    // dlq.
    Flag{"message", list, "N,...", "", commands_dlq, 0,
         [](S& s, V v) { s.dead_letters.push_back(static_cast<std::uint64_t>(parse_integer(v, 1, INT64_MAX))); },
         "Only these messages of the dead-letter stream."},

    // What removes something.
    Flag{"yes", boolean, "", "false", command_teardown | command_dlq_discard | command_repair | command_cutover, 0,
         [](S& s, V v) { s.yes = parse_boolean(v); }, "Do what is listed: remove it, or move."},
};
// clang-format on

}  // namespace

std::span<const Flag> tool_flags() { return tools_table; }

}  // namespace pgsluice
