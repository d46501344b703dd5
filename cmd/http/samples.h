// The values of one scrape, and their text in Prometheus' format. Only what the metric table has can be added.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/http/metric_table.h"
#include "stream/metrics/tally.h"

namespace pgsluice {

class Samples {
   public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    // `always`: labels of every sample that is added from now on.
    Samples() = default;
    explicit Samples(Labels always) : always_(std::move(always)) {}
    void label(Labels always) { always_ = std::move(always); }

    void add(std::string_view metric, double value, Labels labels = {});
    void add(std::string_view metric, std::uint64_t value, Labels labels = {}) {
        add(metric, static_cast<double>(value), std::move(labels));
    }
    void add(std::string_view metric, std::int64_t value, Labels labels = {}) {
        add(metric, static_cast<double>(value), std::move(labels));
    }
    void add(std::string_view metric, const Durations& durations);

    [[nodiscard]] std::string text() const;

   private:
    struct Sample {
        Labels labels;
        double value = 0;
        const Durations* durations = nullptr;
    };
    void add_sample(std::string_view metric, Sample sample);

    Labels always_;
    std::map<const Metric*, std::vector<Sample>> by_metric_;
};

}  // namespace pgsluice
