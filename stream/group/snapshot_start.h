// Where the group's newest snapshot begins in the stream: the KV key `begin` (FORMAT.md, "Keys"). The replicator sets
// it after the snapshot's first begin marker is stored and before any row is. A worker that has missed messages can
// start from there, and can tell whether it has applied that snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/message.h"
#include "stream/names.h"

namespace pgsluice {

struct SnapshotStart {
    std::uint64_t epoch = 0;
    StreamSeq seq;  // of the first part of the epoch's first begin marker
    Lsn consistent_point;

    bool operator==(const SnapshotStart&) const = default;
};

std::string encode(const SnapshotStart& start);
// A stop Error when it is malformed.
SnapshotStart decode_snapshot_start(std::string_view json);

// The KV key `epoch`: the number of the last snapshot announced, written before its slot is created; 0 when there was
// none or the key was lost.
void announce_epoch(Broker& broker, const Names& names, std::uint64_t epoch);
std::uint64_t find_announced_epoch(Broker& broker, const Names& names);

// The KV key `added_epoch`: the same for copies of tables that joined later. Workers that wait for the newest snapshot
// do not wait for those.
void announce_added_epoch(Broker& broker, const Names& names, std::uint64_t epoch);
std::uint64_t find_added_epoch(Broker& broker, const Names& names);

void remember_snapshot_start(Broker& broker, const Names& names, const SnapshotStart& start);
// Nothing when no snapshot was ever started, or when the key was lost.
std::optional<SnapshotStart> find_snapshot_start(Broker& broker, const Names& names);

// The begin marker whose first part has this sequence; nothing when there is none. Waits for nats-server up to 10 s.
std::optional<SnapshotBegin> read_snapshot_begin(Broker& broker, const Names& names, StreamSeq seq,
                                                 const std::stop_token& stop);

// The same: whether it is a direct snapshot's.
bool is_direct_snapshot(Broker& broker, const Names& names, StreamSeq seq, const std::stop_token& stop);

}  // namespace pgsluice
