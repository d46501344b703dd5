// What a replicator reports of itself and its slot: the KV key `replicator` (FORMAT.md, "Keys"). For people, and where
// the source cannot be asked. Nothing depends on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/health/group_health.h"
#include "stream/names.h"

namespace pgsluice {

struct ReplicatorEntry {
    bool ended = false;     // the process has ended, in order or with an error
    bool failed = false;    // ended: with `last_error`
    bool finished = false;  // ended: it has done all it was asked for (--copy)
    bool running = false;   // a session reads or copies; false: it is starting, or trying again
    bool stream_full = false;
    std::int64_t started_us = 0;  // microseconds since 2000-01-01 UTC, as are the others
    std::int64_t reported_us = 0;
    std::string waiting;
    std::string last_error;  // the newest that ended a session
    std::int64_t last_error_us = 0;
    std::optional<std::uint64_t> changes_per_second;  // lately, those of snapshots apart
    std::optional<SlotHealth> slot;

    bool operator==(const ReplicatorEntry&) const = default;
};

std::string encode(const ReplicatorEntry& entry);
// A stop Error when it is malformed.
ReplicatorEntry decode_replicator(std::string_view json);

void report_replicator(Broker& broker, const Names& names, const ReplicatorEntry& entry);
// Changes the report of a replicator that does not run: does nothing where there is none, where it has not said that it
// ended and is younger than `silence`, and where it changes meanwhile.
void amend_replicator(Broker& broker, const Names& names, std::chrono::microseconds silence,
                      const std::function<void(ReplicatorEntry&)>& change);
// Nothing when there is none, or none that can be read.
std::optional<ReplicatorEntry> find_replicator(Broker& broker, const Names& names);

// What follows from the positions of a slot: how far it is behind, and what it holds.
void measure(SlotHealth& slot);
// How fast WAL is written between the two looks, and so how long until the slot is lost.
void measure_rate(SlotHealth& now, const SlotHealth& before);
// For how long a slot is behind that was looked at once: at least as long as the replicator reported, and the time
// since, where it has not moved.
void add_reported_lag(SlotHealth& now, const SlotHealth& reported);

}  // namespace pgsluice
