// What `pgsluice check leaks` prints: where it looked, and what it found. No values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/leaks/group_scan.h"
#include "cmd/leaks/needles.h"
#include "cmd/leaks/sightings.h"
#include "cmd/leaks/target_scan.h"

namespace pgsluice {

std::vector<std::string> looked_for(const std::vector<HiddenColumn>& columns);

struct LeaksReport {
    std::vector<HiddenColumn> columns;
    TargetScan target;
    std::optional<GroupScan> group;
    std::vector<Leak> leaks;

    [[nodiscard]] std::string text() const;
    // An object.
    [[nodiscard]] std::string json() const;
};

}  // namespace pgsluice
