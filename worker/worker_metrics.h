// What a worker counts, for /metrics. One object for all sessions of a process.
#pragma once

#include "stream/metrics/stage.h"
#include "stream/metrics/table_tallies.h"

namespace pgsluice {

struct WorkerMetrics {
    TableTallies tables;  // of the target, after rules; dropped, rewritten: of the source
    Tally transactions;
    Tally ddl_messages;
    Tally heartbeats;
    Tally batches;
    Tally messages;  // taken from the stream
    Tally message_bytes;
    Stage applied;
    Stage durable;
    Gauge applied_lsn;
    Gauge durable_lsn;
    Durations commit_to_visible;
    Durations apply_time;
    Spell waiting_for_stream;
    Spell in_sink;
};

}  // namespace pgsluice
