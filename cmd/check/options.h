// What `pgsluice check` is told beside what it checks.
#pragma once

#include <cstdint>
#include <string>

namespace pgsluice {

// Whose needs are checked, of the ends that are given.
enum class CheckSide : std::uint8_t { both, replicator, worker };

struct CheckOptions {
    bool json = false;
    CheckSide side = CheckSide::both;
    std::string monitoring_url;  // of nats-server; empty: not given
};

}  // namespace pgsluice
