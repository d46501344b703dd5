// Which replicator of a group is cut off, for one that stands by: the KV keys `lease` and `standby` (FORMAT.md,
// "Keys").
//
// The lease is renewed by the replicator that works, every two seconds, while it reaches both the source and NATS. Only
// with --standby: a standby never ends a replicator that keeps none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct Lease {
    std::string holder;  // the source's server process that holds the group's lock, and since when
    std::string host;    // of the replicator
    std::int64_t pid = 0;
    std::int64_t renewed_us = 0;  // microseconds since 2000-01-01 UTC; for people: clocks differ

    bool operator==(const Lease&) const = default;
};

std::string encode(const Lease& lease);
// A stop Error when it is malformed.
Lease decode_lease(std::string_view json);

struct KeptLease {
    Lease lease;
    std::uint64_t revision = 0;  // rises whenever it is renewed
};

// Nothing when there is none, or none that can be read.
std::optional<KeptLease> find_lease(Broker& broker, const Names& names);
void renew_lease(Broker& broker, const Names& names, const Lease& lease);
// True when it had not been renewed since it was read. Proves that NATS stores what we write, too.
bool claim_lease(Broker& broker, const Names& names, const KeptLease& found, const Lease& claimed);

// What a standby reports of itself; the newest of several.
struct StandbyReport {
    std::string host;
    std::int64_t pid = 0;
    std::int64_t since_us = 0;     // microseconds since 2000-01-01 UTC
    std::int64_t reported_us = 0;  // the same

    bool operator==(const StandbyReport&) const = default;
};

std::string encode(const StandbyReport& report);
// A stop Error when it is malformed.
StandbyReport decode_standby(std::string_view json);

void report_standby(Broker& broker, const Names& names, const StandbyReport& report);
void end_standby_report(Broker& broker, const Names& names);
// Nothing when there is none, or none that can be read.
std::optional<StandbyReport> find_standby(Broker& broker, const Names& names);

}  // namespace pgsluice
