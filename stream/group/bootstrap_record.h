// That a group's targets begin with a dump or a backup of the source, and not with a copy in the stream: the KV key
// `bootstrap` (FORMAT.md, "Keys"). Workers read nothing before the state is `streaming`, and begin there. That the
// group begins so is in the stream, too, as a dump marker: when the bucket is lost, that is still known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/names.h"
#include "stream/position.h"

namespace pgsluice {

enum class BootstrapState : std::uint8_t {
    waiting,       // for the slot, while `point` is not valid; then for the dump: its snapshot is held
    accumulating,  // the snapshot is no longer held: the dump was taken, and is being restored
    streaming,     // the targets hold it
    superseded,    // the group has begun again since, otherwise: the marker that is still in the stream means nothing
    unknown,       // never written: the stream begins with a dump marker, and the bucket has no record
};

struct BootstrapRecord {
    BootstrapState state = BootstrapState::waiting;
    Lsn point;                   // the dump holds what was committed before; what comes after is in the stream
    StreamSeq seq;               // the stream's message from which on that is so
    std::string snapshot;        // what pg_dump is to be given; of no use once it is no longer held
    std::int64_t since_us = 0;   // microseconds since 2000-01-01 UTC, by the clock of whoever wrote it
    std::uint64_t revision = 0;  // of the key; 0: it does not exist

    bool operator==(const BootstrapRecord&) const = default;
};

std::string_view to_string(BootstrapState state);
std::string encode(const BootstrapRecord& record);
// Without the revision. A stop Error when it is malformed.
BootstrapRecord decode_bootstrap(std::string_view json);

// Nothing when the group is none of these, or there is no stream.
std::optional<BootstrapRecord> find_bootstrap(Broker& broker, const Names& names);
// Sets the time and writes it over the record's revision, which becomes the new one. False when another has written
// meanwhile.
bool try_record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record);
// The same with a retry Error then.
void record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record);
// The group begins again, and not with a dump: no worker waits for one any more.
void supersede_bootstrap(Broker& broker, const Names& names);

}  // namespace pgsluice
