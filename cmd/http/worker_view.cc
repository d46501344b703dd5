#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cmd/http/view.h"
#include "stream/op_names.h"

namespace pgsluice {

namespace {

constexpr std::array answers{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

}  // namespace

void WorkerView::follow(const StreamObservation* seen, std::int64_t now_us) {
    if (seen == nullptr || !seen->stream) return;
    const std::int64_t end = static_cast<std::int64_t>(seen->stream->last_seq.value) + 1;
    applied_.look(end, metrics_->applied.at.get(), now_us);
    durable_.look(end, metrics_->durable.at.get(), now_us);
}

Movement WorkerView::movement(const StreamObservation* /*seen*/) const {
    const std::int64_t left = applied_.distance(metrics_->applied.at.get()).value_or(0);
    const double busy = metrics_->in_sink.running_seconds();
    Movement movement;
    movement.work = left > 0 || busy > 0;
    movement.moved =
        metrics_->messages.get() + metrics_->batches.get() + static_cast<std::uint64_t>(metrics_->applied.at.get());
    metrics_->tables.for_each(
        [&](const auto&, const auto&, const TableTally& table) { movement.moved += table.copied_rows.get(); });
    movement.waiting_for = busy > 0 ? fmt::format("the sink has been busy with one batch for {:.0f} s", busy)
                                    : fmt::format("{} messages of the stream are not applied", left);
    return movement;
}

void WorkerView::sample(Samples& samples, std::int64_t now_us) const {
    const WorkerMetrics& m = *metrics_;
    sample_wait(samples, m.waiting_for_stream, "stream");
    sample_wait(samples, m.in_sink, "sink");
    samples.add("pgsluice_applied_transactions_total", m.transactions.get());
    samples.add("pgsluice_heartbeats_total", m.heartbeats.get());
    samples.add("pgsluice_applied_batches_total", m.batches.get());
    samples.add("pgsluice_applied_ddl_total", m.ddl_messages.get());
    samples.add("pgsluice_received_messages_total", m.messages.get());
    samples.add("pgsluice_received_bytes_total", m.message_bytes.get());
    samples.add("pgsluice_commit_to_visible_seconds", m.commit_to_visible);
    samples.add("pgsluice_sink_apply_seconds", m.apply_time);
    sample_lags(samples, now_us);
    sample_tables(samples);
    if (requests_) sample_requests(samples);
    if (conflicts_) sample_conflicts(samples);
}

void WorkerView::sample_conflicts(Samples& samples) const {
    const ConflictMetrics& m = *conflicts_;
    const auto show = [&](const char* kind, const Tally& tally) {
        samples.add("pgsluice_conflicts_total", tally.get(), {{"kind", kind}});
    };
    show("insert_updated", m.insert_updated);
    show("insert_ignored", m.insert_ignored);
    show("update_inserted", m.update_inserted);
    show("delete_missing", m.delete_missing);
    show("parked", m.parked);
}

void WorkerView::sample_requests(Samples& samples) const {
    for (std::size_t i = 0; i < answers.size(); ++i)
        samples.add("pgsluice_webhook_requests_total", requests_->answers[i].get(), {{"answer", answers[i]}});
    samples.add("pgsluice_webhook_request_seconds", requests_->time);
}

void WorkerView::sample_lags(Samples& samples, std::int64_t now_us) const {
    const WorkerMetrics& m = *metrics_;
    samples.add("pgsluice_position_bytes", m.applied_lsn.get(), {{"stage", "applied"}});
    if (m.durable_lsn.get() != 0) samples.add("pgsluice_position_bytes", m.durable_lsn.get(), {{"stage", "durable"}});
    sample_lag(samples, applied_, m.applied, "applied", now_us);
    sample_lag(samples, durable_, m.durable, "durable", now_us);
    if (const auto left = applied_.distance(m.applied.at.get()))
        samples.add("pgsluice_lag_messages", *left, {{"stage", "applied"}});
    if (const auto left = durable_.distance(m.durable.at.get()))
        samples.add("pgsluice_lag_messages", *left, {{"stage", "durable"}});
    if (!seen() || !seen()->stream) return;
    const auto end = static_cast<std::int64_t>(seen()->end.value);
    samples.add("pgsluice_lag_bytes", std::max<std::int64_t>(0, end - m.applied_lsn.get()), {{"stage", "applied"}});
    if (m.durable_lsn.get() != 0)
        samples.add("pgsluice_lag_bytes", std::max<std::int64_t>(0, end - m.durable_lsn.get()), {{"stage", "durable"}});
}

void WorkerView::sample_tables(Samples& samples) const {
    metrics_->tables.for_each([&](const std::string& schema, const std::string& table, const TableTally& tally) {
        const Samples::Labels labels{{"schema", schema}, {"table", table}};
        for (std::size_t op = 0; op < op_names.size(); ++op) {
            if (tally.changes[op].get() == 0) continue;
            samples.add("pgsluice_applied_changes_total", tally.changes[op].get(),
                        {{"schema", schema}, {"table", table}, {"op", op_names[op]}});
        }
        if (tally.bytes.get() > 0) samples.add("pgsluice_applied_change_bytes_total", tally.bytes.get(), labels);
        if (tally.dropped.get() > 0) samples.add("pgsluice_dropped_changes_total", tally.dropped.get(), labels);
        if (tally.rewritten.get() > 0) samples.add("pgsluice_rewritten_changes_total", tally.rewritten.get(), labels);
        if (tally.copied_rows.get() > 0)
            samples.add("pgsluice_snapshot_rows_loaded_total", tally.copied_rows.get(), labels);
    });
}

}  // namespace pgsluice
