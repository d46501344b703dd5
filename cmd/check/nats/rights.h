// What the user may publish to, subject by subject: the table of examples/nats-permissions.conf, as far as the checked
// settings use it.
#pragma once

#include <string>
#include <vector>

#include "cmd/check/findings.h"
#include "cmd/cli/settings.h"
#include "stream/broker_probe.h"

namespace pgsluice {

struct WantedRight {
    BrokerRight right;
    bool always = true;  // false: a run starts without it, and stops where it comes to need it
    std::string makes;   // a stream: not needed where there is one
    std::string purges;  // a stream: cannot be tried where there is one
};

// Of both, and of whoever only looks.
std::vector<WantedRight> reading_rights(const BrokerProbe& probe, const Names& names);
std::vector<WantedRight> replicator_rights(const BrokerProbe& probe, const Names& names);
std::vector<WantedRight> worker_rights(const BrokerProbe& probe, const Names& names, const std::string& worker,
                                       bool parks);

// For the ends that are given. Whether the user may read, so that more can be looked at.
bool look_at_nats_rights(const Settings& settings, const BrokerProbe& probe, Findings& found);

}  // namespace pgsluice
