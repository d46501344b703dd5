#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cmd/http/view.h"
#include "stream/op_names.h"

namespace pgsluice {

namespace {

constexpr double long_wait_s = 10;  // as of what else is waited for
constexpr std::array wal_statuses{"reserved", "extended", "unreserved", "lost"};

std::int64_t at(StreamSeq seq) { return static_cast<std::int64_t>(seq.value); }

// Tables of a snapshot are named "schema.table".
Samples::Labels table_labels(const std::string& name) {
    const std::size_t dot = name.find('.');
    return {{"schema", name.substr(0, dot)}, {"table", dot == std::string::npos ? name : name.substr(dot + 1)}};
}

}  // namespace

std::string ReplicatorView::ready_as() const {
    return metrics_->standing_by.get() != 0 ? "ready: standing by for another replicator of the group" : "ready";
}

void ReplicatorView::follow(const StreamObservation* seen, std::int64_t now_us) {
    if (const auto slot = metrics_->slot.get()) {
        received_.look(slot->wal_end, metrics_->received.at.get(), now_us);
        published_.look(slot->wal_end, metrics_->published.at.get(), now_us);
    }
    if (seen == nullptr || !seen->stream) return;
    const std::int64_t end = at(seen->stream->last_seq) + 1;
    std::map<std::string, WorkerClocks> present;
    for (const auto& worker : seen->workers) {
        WorkerClocks& clocks = present[worker.name] = std::move(workers_[worker.name]);
        clocks.applied.look(end, at(worker.applied.resume_seq), now_us);
        clocks.durable.look(end, at(worker.durable.resume_seq), now_us);
    }
    workers_.swap(present);
}

bool ReplicatorView::waits_long() const { return metrics_->waiting_for_stream.running_seconds() >= long_wait_s; }

std::string ReplicatorView::waits_for(std::int64_t bytes_unsent) const {
    if (metrics_->full.get() != 0) return "the stream is full";
    if (metrics_->in_flight.get() > 0) return "JetStream does not acknowledge";
    return fmt::format("the source has {} more bytes of WAL and sends nothing", bytes_unsent);
}

Movement ReplicatorView::movement(const StreamObservation* /*seen*/) const {
    if (metrics_->standing_by.get() != 0) return {};  // what there is to do is the other one's
    const std::int64_t unsent = received_.distance(metrics_->received.at.get()).value_or(0);
    const auto snapshot = metrics_->snapshot.get();
    const bool copying = snapshot && !snapshot->ended;
    Movement movement;
    movement.work = metrics_->pending.get() != 0 || unsent > 0 || copying;
    movement.moved = static_cast<std::uint64_t>(metrics_->received.at.get() + metrics_->published.at.get()) +
                     metrics_->message_bytes.get() + (snapshot ? snapshot->bytes : 0);
    metrics_->tables.for_each(
        [&](const auto&, const auto&, const TableTally& table) { movement.moved += table.bytes.get(); });
    const bool full = metrics_->full.get() != 0;
    movement.waiting_for = copying && !full ? "the copy does not advance" : waits_for(unsent);
    return movement;
}

void ReplicatorView::sample(Samples& samples, std::int64_t now_us) const {
    const ReplicatorMetrics& m = *metrics_;
    samples.add("pgsluice_standing_by", m.standing_by.get());
    if (m.standing_by.get() != 0) return;  // the other one knows the rest
    sample_wait(samples, m.waiting_for_source, "source");
    sample_wait(samples, m.waiting_for_stream, "stream");
    samples.add("pgsluice_source_transactions_total", m.transactions.get());
    samples.add("pgsluice_source_ddl_total", m.ddl_messages.get());
    samples.add("pgsluice_published_messages_total", m.messages.get());
    samples.add("pgsluice_published_bytes_total", m.message_bytes.get());
    samples.add("pgsluice_in_flight_messages", m.in_flight.get());
    samples.add("pgsluice_in_flight_bytes", m.in_flight_bytes.get());
    samples.add("pgsluice_open_transactions", m.open_transactions.get());
    samples.add("pgsluice_open_transaction_bytes", m.open_bytes.get());
    samples.add("pgsluice_stream_full", m.full.get());
    samples.add("pgsluice_position_bytes", m.received.at.get(), {{"stage", "received"}});
    samples.add("pgsluice_position_bytes", m.published.at.get(), {{"stage", "published"}});
    if (const auto lag = received_.distance(m.received.at.get()))
        samples.add("pgsluice_lag_bytes", *lag, {{"stage", "received"}});
    if (const auto lag = published_.distance(m.published.at.get()))
        samples.add("pgsluice_lag_bytes", *lag, {{"stage", "published"}});
    sample_lag(samples, received_, m.received, "received", now_us);
    sample_lag(samples, published_, m.published, "published", now_us);
    sample_tables(samples);
    sample_slot(samples);
    sample_snapshot(samples);
    sample_workers(samples, now_us);
}

void ReplicatorView::sample_tables(Samples& samples) const {
    metrics_->tables.for_each([&](const std::string& schema, const std::string& table, const TableTally& tally) {
        for (std::size_t op = 0; op < op_names.size(); ++op) {
            if (tally.changes[op].get() == 0) continue;
            samples.add("pgsluice_source_changes_total", tally.changes[op].get(),
                        {{"schema", schema}, {"table", table}, {"op", op_names[op]}});
        }
        samples.add("pgsluice_source_change_bytes_total", tally.bytes.get(), {{"schema", schema}, {"table", table}});
    });
}

void ReplicatorView::sample_slot(Samples& samples) const {
    const auto slot = metrics_->slot.get();
    if (!slot) return;
    samples.add("pgsluice_position_bytes", slot->wal_end, {{"stage", "source"}});
    samples.add("pgsluice_slot_retained_bytes", slot->retained_bytes);
    samples.add("pgsluice_slot_active", slot->active ? 1.0 : 0.0);
    samples.add("pgsluice_source_wal_bytes_per_second", slot->bytes_per_second);
    for (const char* status : wal_statuses)
        samples.add("pgsluice_slot_wal_status", slot->wal_status == status ? 1.0 : 0.0, {{"status", status}});
    if (!slot->safe_wal_size) return;
    samples.add("pgsluice_slot_safe_bytes", *slot->safe_wal_size);
    const auto safe = static_cast<double>(std::max<std::int64_t>(0, *slot->safe_wal_size));
    if (slot->bytes_per_second >= 1) samples.add("pgsluice_slot_loss_seconds", safe / slot->bytes_per_second);
}

void ReplicatorView::sample_snapshot(Samples& samples) const {
    const auto snapshot = metrics_->snapshot.get();
    if (!snapshot) return;
    samples.add("pgsluice_snapshot_epoch", snapshot->epoch);
    samples.add("pgsluice_snapshot_complete", snapshot->complete ? 1.0 : 0.0);
    std::size_t shown = 0;
    for (const TableProgress& table : snapshot->tables) {
        if (++shown > TableTallies::max_tables) break;
        const auto labels = table_labels(table.name);
        const double share = share_done(table);
        samples.add("pgsluice_snapshot_rows", table.rows, labels);
        samples.add("pgsluice_snapshot_bytes", table.bytes, labels);
        samples.add("pgsluice_snapshot_ratio", share, labels);
        if (share > 0) samples.add("pgsluice_snapshot_estimated_rows", static_cast<double>(table.rows) / share, labels);
    }
}

void ReplicatorView::sample_workers(Samples& samples, std::int64_t now_us) const {
    if (!seen()) return;
    for (const auto& worker : seen()->workers) {
        const auto clocks = workers_.find(worker.name);
        if (clocks == workers_.end()) continue;
        const auto show = [&](const LagClock& clock, const Checkpoint& checkpoint, const std::string& stage) {
            const Samples::Labels labels{{"worker", worker.name}, {"stage", stage}};
            if (const auto messages = clock.distance(at(checkpoint.resume_seq)))
                samples.add("pgsluice_worker_lag_messages", *messages, labels);
            if (const auto seconds = clock.seconds(at(checkpoint.resume_seq), 0, now_us))
                samples.add("pgsluice_worker_lag_seconds", *seconds, labels);
        };
        show(clocks->second.applied, worker.applied, "applied");
        show(clocks->second.durable, worker.durable, "durable");
        const double silent = static_cast<double>(now_us - worker.reported_us) / 1e6;
        samples.add("pgsluice_worker_reported_seconds", std::max(0.0, silent), {{"worker", worker.name}});
    }
}

}  // namespace pgsluice
