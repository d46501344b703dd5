// Every metric that /metrics gives. The table in README.md beside this file is compared with it, and so are the
// dashboard and the alerts in examples/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pgsluice {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

// Which processes have it.
enum class MetricRole : std::uint8_t { replicator, worker, both };

struct Metric {
    std::string_view name;
    MetricKind kind = MetricKind::gauge;
    MetricRole role = MetricRole::both;
    std::string_view labels;  // "schema, table"; group, and worker of a worker's, come on top
    std::string_view help;
};

std::span<const Metric> metrics();
// Null when there is none of that name.
const Metric* find_metric(std::string_view name);
std::string_view to_string(MetricKind kind);
std::string_view to_string(MetricRole role);

}  // namespace pgsluice
