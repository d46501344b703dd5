#include "cmd/http/metric_table.h"

#include <algorithm>
#include <array>

namespace pgsluice {

namespace {

constexpr auto counter = MetricKind::counter;
constexpr auto gauge = MetricKind::gauge;
constexpr auto histogram = MetricKind::histogram;
constexpr auto replicator = MetricRole::replicator;
constexpr auto worker = MetricRole::worker;
constexpr auto both = MetricRole::both;

// clang-format off
constexpr std::array table{
    // The process.
    Metric{"pgsluice_build_info", gauge, both, "version, role, sink", "Always 1; the labels say which program this is"},
    Metric{"pgsluice_running", gauge, both, "", "1 while a session runs; 0 while it starts, waits or has failed"},
    Metric{"pgsluice_ready", gauge, both, "", "1 when /readyz answers 200"},
    Metric{"pgsluice_session_failures_total", counter, both, "", "Sessions that ended with an error; each is a reconnect or a stop"},
    Metric{"pgsluice_lost_connections_total", counter, both, "link", "Connections that were lost, or could not be made, each of which is tried again: to the source, the target or nats"},
    Metric{"pgsluice_wait_seconds_total", counter, both, "for", "Time the loop spent waiting, by what for"},
    Metric{"pgsluice_waiting_seconds", gauge, both, "for", "How long the loop has been waiting for this now; 0 while it is not"},
    Metric{"pgsluice_long_wait", gauge, both, "", "1 while something has been waited for longer than ten seconds; the log says for what"},
    // The stream.
    Metric{"pgsluice_nats_up", gauge, both, "", "1 while NATS answers questions about the stream"},
    Metric{"pgsluice_stream_bytes", gauge, both, "", "Bytes in the group's stream"},
    Metric{"pgsluice_stream_max_bytes", gauge, both, "", "Limit of the stream; absent without one"},
    Metric{"pgsluice_stream_messages", gauge, both, "", "Messages in the group's stream"},
    Metric{"pgsluice_stream_oldest_seconds", gauge, both, "", "Age of the oldest message in the stream"},
    Metric{"pgsluice_dead_letters", gauge, both, "", "Changes parked in the group's dead-letter stream"},
    // How far the data is.
    Metric{"pgsluice_position_bytes", gauge, both, "stage", "LSN that a stage has reached, as a number of bytes; stages can be subtracted from each other"},
    Metric{"pgsluice_lag_bytes", gauge, both, "stage", "WAL that a stage has not reached: of the source's (received, published), of the stream's end (applied, durable)"},
    Metric{"pgsluice_lag_seconds", gauge, both, "stage", "How long ago a stage was current"},
    // The replicator.
    Metric{"pgsluice_standing_by", gauge, replicator, "", "1 while it stands by for another replicator of the group (--standby)"},
    Metric{"pgsluice_source_changes_total", counter, replicator, "schema, table, op", "Changes published"},
    Metric{"pgsluice_source_change_bytes_total", counter, replicator, "schema, table", "Bytes of these changes in the stream"},
    Metric{"pgsluice_source_transactions_total", counter, replicator, "", "Transactions published"},
    Metric{"pgsluice_source_ddl_total", counter, replicator, "", "DDL commands published"},
    Metric{"pgsluice_published_messages_total", counter, replicator, "", "Messages of changes and progress published"},
    Metric{"pgsluice_published_bytes_total", counter, replicator, "",
           "Bytes of these messages, before they are compressed"},
    Metric{"pgsluice_in_flight_messages", gauge, replicator, "", "Messages that JetStream has not acknowledged yet"},
    Metric{"pgsluice_in_flight_bytes", gauge, replicator, "", "Bytes of these messages"},
    Metric{"pgsluice_open_transactions", gauge, replicator, "", "Transactions that are read ahead, and kept until they commit"},
    Metric{"pgsluice_open_transaction_bytes", gauge, replicator, "", "Bytes kept of them"},
    Metric{"pgsluice_stream_full", gauge, replicator, "", "1 while the stream refuses messages because it is full"},
    Metric{"pgsluice_slot_retained_bytes", gauge, replicator, "", "WAL that the source keeps for the slot"},
    Metric{"pgsluice_slot_safe_bytes", gauge, replicator, "", "WAL that may still be written before the slot is lost; absent without max_slot_wal_keep_size"},
    Metric{"pgsluice_slot_loss_seconds", gauge, replicator, "", "Time until the slot is lost at the present rate of writing; absent while it will not be"},
    Metric{"pgsluice_slot_wal_status", gauge, replicator, "status", "1 for what wal_status is now: reserved, extended, unreserved or lost"},
    Metric{"pgsluice_slot_lost", gauge, both, "", "1 when the source has invalidated the slot, as the replicator reported last, also one that has stopped over it; absent where this process' NATS user may not ask for that"},
    Metric{"pgsluice_slot_active", gauge, replicator, "", "1 while the slot is read"},
    Metric{"pgsluice_source_wal_bytes_per_second", gauge, replicator, "", "Rate at which the source writes WAL"},
    Metric{"pgsluice_snapshot_rows", gauge, replicator, "schema, table", "Rows of the newest snapshot published so far"},
    Metric{"pgsluice_snapshot_estimated_rows", gauge, replicator, "schema, table", "Rows that the snapshot will have, by the part that is copied"},
    Metric{"pgsluice_snapshot_bytes", gauge, replicator, "schema, table", "Bytes of the newest snapshot published so far"},
    Metric{"pgsluice_snapshot_ratio", gauge, replicator, "schema, table", "Part of the table that is copied, 0 to 1"},
    Metric{"pgsluice_snapshot_epoch", gauge, replicator, "", "Number of the newest snapshot that this process has copied"},
    Metric{"pgsluice_snapshot_complete", gauge, replicator, "", "1 once that snapshot is complete in the stream"},
    Metric{"pgsluice_worker_lag_messages", gauge, replicator, "worker, stage", "Messages of the stream that a registered worker still needs, also of one that does not run"},
    Metric{"pgsluice_worker_lag_seconds", gauge, replicator, "worker, stage", "How long ago the worker had all that the stream held then"},
    Metric{"pgsluice_worker_reported_seconds", gauge, replicator, "worker", "Time since the worker last reported"},
    // The worker.
    Metric{"pgsluice_applied_changes_total", counter, worker, "schema, table, op", "Changes that the sink has accepted, after rules and routing"},
    Metric{"pgsluice_applied_change_bytes_total", counter, worker, "schema, table", "Bytes of their values"},
    Metric{"pgsluice_applied_transactions_total", counter, worker, "", "Transactions that the sink has accepted"},
    Metric{"pgsluice_heartbeats_total", counter, worker, "", "Heartbeats of the replicator (--heartbeat-interval) that the target has; they are counted in pgsluice_commit_to_visible_seconds, too"},
    Metric{"pgsluice_applied_batches_total", counter, worker, "", "Batches that the sink has accepted"},
    Metric{"pgsluice_applied_ddl_total", counter, worker, "", "DDL commands that the sink has accepted"},
    Metric{"pgsluice_dropped_changes_total", counter, worker, "schema, table", "Changes of the source's table, and rows of its snapshots, that a rule or the routing dropped"},
    Metric{"pgsluice_rewritten_changes_total", counter, worker, "schema, table", "The same that a rule passed on otherwise than they came: with other values, without a column, or an update as an insert or a delete"},
    Metric{"pgsluice_received_messages_total", counter, worker, "", "Messages taken from the stream"},
    Metric{"pgsluice_received_bytes_total", counter, worker, "", "Bytes of these messages"},
    Metric{"pgsluice_snapshot_rows_loaded_total", counter, worker, "schema, table", "Rows of snapshots that the sink has taken"},
    Metric{"pgsluice_lag_messages", gauge, worker, "stage", "Messages of the stream that a stage has not reached"},
    Metric{"pgsluice_commit_to_visible_seconds", histogram, worker, "", "Time from a transaction's commit at the source until the sink had it, by both machines' clocks"},
    Metric{"pgsluice_conflicts_total", counter, worker, "kind", "Rows that a postgres target had otherwise than the source: an insert found its row and updated it (insert_updated) or left it (insert_ignored), an update found none and inserted it (update_inserted), a delete found none (delete_missing), a change that was refused is in the dead letters (parked)"},
    Metric{"pgsluice_webhook_requests_total", counter, worker, "answer", "Requests of the webhook sink, by the receiver's answer: 2xx, 4xx and so on, or none"},
    Metric{"pgsluice_webhook_request_seconds", histogram, worker, "", "Time of a request of the webhook sink until its answer"},
    Metric{"pgsluice_sink_apply_seconds", histogram, worker, "", "Time the sink took for a batch"},
};
// clang-format on

}  // namespace

std::span<const Metric> metrics() { return table; }

const Metric* find_metric(std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Metric& each) { return each.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::string_view to_string(MetricKind kind) {
    constexpr std::array<std::string_view, 3> names{"counter", "gauge", "histogram"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(MetricRole role) {
    constexpr std::array<std::string_view, 3> names{"replicator", "worker", "both"};
    return names[static_cast<std::size_t>(role)];
}

}  // namespace pgsluice
