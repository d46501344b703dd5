#include "worker/batch_tally.h"

#include "worker/row_bytes.h"

namespace pgsluice {

void BatchTally::taken(const Message& message) noexcept {
    metrics_.messages.add();
    metrics_.message_bytes.add(message.body.size());
}

TableTally& BatchTally::of(const Relation& relation) {
    return *tables_.at(relation, [&] { return &metrics_.tables.of(relation); });
}

void BatchTally::copied(const SnapshotFeed::Taken& taken) {
    if (taken.target != nullptr) of(*taken.target).copied_rows.add(taken.rows);
    if (taken.rewritten > 0) of(*taken.source).rewritten.add(taken.rewritten);
    if (taken.dropped > 0) of(*taken.source).dropped.add(taken.dropped);
}

void BatchTally::count(const Change& change) {
    switch (change.op) {
        case Op::message:
            metrics_.ddl_messages.add();
            break;
        case Op::truncate:
            for (const RelationPtr& table : change.truncated) metrics_.tables.of(*table).count(Op::truncate);
            break;
        default:
            TableTally& table = of(*change.relation);
            table.count(change.op);
            table.bytes.add(row_bytes(change.new_row) + row_bytes(change.old_row));
    }
}

void BatchTally::applied(const Batch& batch, const std::vector<std::int64_t>& committed, std::int64_t now_us) {
    for (const Change& change : batch.changes) count(change);
    if (!batch.changes.empty()) metrics_.batches.add();
    metrics_.transactions.add(committed.size());
    visible(committed, now_us);
    if (!batch.complete) return;
    metrics_.applied.at.set(static_cast<std::int64_t>(batch.upto.resume_seq.value));
    if (batch.commit_time_us != 0) metrics_.applied.commit_time_us.set(batch.commit_time_us);
}

void BatchTally::beat(const std::vector<std::int64_t>& committed, std::int64_t now_us) {
    metrics_.heartbeats.add(committed.size());
    visible(committed, now_us);
}

void BatchTally::visible(const std::vector<std::int64_t>& committed, std::int64_t now_us) {
    for (const std::int64_t commit_us : committed)
        metrics_.commit_to_visible.add(static_cast<double>(now_us - commit_us) / 1e6);
}

}  // namespace pgsluice
