#include "cmd/http/samples.h"

#include <prometheus/text_serializer.h>

#include <limits>
#include <stdexcept>

namespace pgsluice {

namespace {

prometheus::MetricType type_of(MetricKind kind) {
    switch (kind) {
        case MetricKind::counter:
            return prometheus::MetricType::Counter;
        case MetricKind::gauge:
            return prometheus::MetricType::Gauge;
        case MetricKind::histogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const Durations& durations) {
    prometheus::ClientMetric::Histogram out;
    for (std::size_t i = 0; i <= Durations::bounds.size(); ++i) {
        out.sample_count += durations.count(i);
        const bool last = i == Durations::bounds.size();
        out.bucket.push_back({out.sample_count, last ? std::numeric_limits<double>::infinity() : Durations::bounds[i]});
    }
    out.sample_sum = durations.sum();
    return out;
}

}  // namespace

void Samples::add_sample(std::string_view metric, Sample sample) {
    const Metric* known = find_metric(metric);
    if (known == nullptr) throw std::logic_error("no metric '" + std::string(metric) + "' in the table");
    sample.labels.insert(sample.labels.begin(), always_.begin(), always_.end());
    by_metric_[known].push_back(std::move(sample));
}

void Samples::add(std::string_view metric, double value, Labels labels) {
    add_sample(metric, {std::move(labels), value, nullptr});
}

void Samples::add(std::string_view metric, const Durations& durations) { add_sample(metric, {{}, 0, &durations}); }

std::string Samples::text() const {
    std::vector<prometheus::MetricFamily> families;
    for (const auto& [metric, samples] : by_metric_) {
        auto& family = families.emplace_back();
        family.name = metric->name;
        family.help = metric->help;
        family.type = type_of(metric->kind);
        for (const Sample& sample : samples) {
            auto& out = family.metric.emplace_back();
            for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
            out.counter.value = out.gauge.value = sample.value;
            if (sample.durations != nullptr) out.histogram = histogram_of(*sample.durations);
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace pgsluice
