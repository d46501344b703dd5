// What a replicator counts, for /metrics. One object for all sessions of a process.
#pragma once

#include "replicator/snapshot/progress.h"
#include "replicator/source/slot/retention.h"
#include "stream/base/latest.h"
#include "stream/metrics/stage.h"
#include "stream/metrics/table_tallies.h"
#include "stream/publisher.h"

namespace pgsluice {

struct ReplicatorMetrics {
    // By the loop.
    TableTallies tables;  // of the source; bytes as they are in the stream's blocks
    Tally transactions;
    Tally ddl_messages;
    Tally messages;  // published
    Tally message_bytes;
    Stage received;           // from the source
    Stage published;          // JetStream has acknowledged it
    Gauge in_flight;          // messages that JetStream has not acknowledged
    Gauge in_flight_bytes;    // their bytes
    Gauge open_transactions;  // kept until they commit on the source
    Gauge open_bytes;         // of them
    Gauge pending;            // whether something taken from the source is not stored in the stream yet
    Gauge full;               // whether the stream refuses messages for want of room
    Gauge standing_by;
    Spell waiting_for_source;
    Spell waiting_for_stream;

    // By the copy, and by the slot monitor.
    Latest<SnapshotProgress> snapshot;
    Latest<SlotRetention> slot;

    void show_in_flight(Publisher& publisher);
};

}  // namespace pgsluice
