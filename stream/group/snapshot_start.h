// Where the group's newest copy begins in the stream: the KV key `begin` (FORMAT.md, "Keys"). The replicator sets it
// once the copy's first begin marker is stored and before any row is. A worker that has missed messages can start from
// there, and tell whether it has applied that copy.
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
// A stop Error when it is not one.
SnapshotStart decode_snapshot_start(std::string_view json);

// The KV key `epoch`: number of the last copy that was announced, before its slot is made; 0 when none was, or when the
// key was lost.
void announce_epoch(Broker& broker, const Names& names, std::uint64_t epoch);
std::uint64_t find_announced_epoch(Broker& broker, const Names& names);

// The KV key `added_epoch`: the same of copies of tables that joined later. Workers that wait for the newest copy do
// not wait for those.
void announce_added_epoch(Broker& broker, const Names& names, std::uint64_t epoch);
std::uint64_t find_added_epoch(Broker& broker, const Names& names);

void remember_snapshot_start(Broker& broker, const Names& names, const SnapshotStart& start);
// Nothing when no copy was ever begun, or when the key was lost.
std::optional<SnapshotStart> find_snapshot_start(Broker& broker, const Names& names);

// The begin marker whose first part has this sequence; nothing when there is none. Waits for nats-server up to 10 s.
std::optional<SnapshotBegin> read_snapshot_begin(Broker& broker, const Names& names, StreamSeq seq,
                                                 const std::stop_token& stop);

}  // namespace pgsluice
