// Counts what a session takes, hands on and drops.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/batch.h"
#include "stream/message.h"
#include "stream/per_relation.h"
#include "worker/snapshot_feed.h"
#include "worker/worker_metrics.h"

namespace pgsluice {

class BatchTally {
   public:
    explicit BatchTally(WorkerMetrics& metrics) : metrics_(metrics) {}

    void taken(const Message& message) noexcept;
    void dropped(const Relation& relation) { of(relation).dropped.add(); }
    void rewritten(const Relation& relation) { of(relation).rewritten.add(); }
    void copied(const SnapshotFeed::Taken& taken);
    // The sink has applied the batch; `committed`: when each of its transactions was committed at the source.
    void applied(const Batch& batch, const std::vector<std::int64_t>& committed, std::int64_t now_us);
    // And the heartbeats in it were.
    void beat(const std::vector<std::int64_t>& committed, std::int64_t now_us);

   private:
    TableTally& of(const Relation& relation);
    void count(const Change& change);
    void visible(const std::vector<std::int64_t>& committed, std::int64_t now_us);

    WorkerMetrics& metrics_;
    PerRelation<TableTally*> tables_;
};

}  // namespace pgsluice
