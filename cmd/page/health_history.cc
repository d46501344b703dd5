#include "cmd/page/health_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t most_series = HealthHistory::most_workers + 2;  // the slot; the replicator, and its snapshot

void keep_longest(float* sample, const std::optional<double>& value) {
    if (sample != nullptr && value)
        *sample = std::isnan(*sample) ? static_cast<float>(*value) : std::max(*sample, static_cast<float>(*value));
}

void keep_last(float* sample, const std::optional<double>& value) {
    if (sample != nullptr && value) *sample = static_cast<float>(*value);
}

}  // namespace

// To the sample of that time; those in between stay unknown.
void HealthHistory::advance(Time now) {
    if (!begun_) end_ = now;
    begun_ = true;
    for (std::size_t steps = 0; end_ + interval <= now; end_ += interval) {
        at_ = (at_ + 1) % length;
        if (++steps > length) continue;
        for (AllSeries* all : {&lags_, &rates_})
            for (Series& series : *all) series.values[at_] = unknown;
    }
}

// Null when there are too many.
float* HealthHistory::sample(AllSeries& all, const std::string& name) const {
    auto found = std::ranges::find(all, name, &Series::name);
    if (found == all.end()) {
        if (all.size() >= most_series) return nullptr;
        all.push_back({name, std::vector<float>(length, unknown)});
        found = all.end() - 1;
    }
    return &found->values[at_];
}

void HealthHistory::note(const GroupHealth& health, Time now) {
    advance(now);
    if (health.slot) keep_longest(sample(lags_, "slot"), health.slot->behind_seconds);
    if (health.replicator.changes_per_second)  // an older build does not report it
        keep_last(sample(rates_, "replicator"), health.replicator.changes_per_second);
    note_rows(health, now);
    for (const WorkerHealth& worker : health.workers) {
        keep_longest(sample(lags_, "worker " + worker.name), worker.behind_seconds);
        keep_last(sample(rates_, "worker " + worker.name), worker.changes_per_second);
    }
}

// A snapshot's rows are not among the changes.
void HealthHistory::note_rows(const GroupHealth& health, Time now) {
    const bool copying = health.snapshot && !health.snapshot->complete;
    const double passed = std::chrono::duration<double>(now - rows_at_).count();
    if (copying && copying_ && health.snapshot->rows >= rows_ && passed > 0)
        keep_last(sample(rates_, "rows of the snapshot"), static_cast<double>(health.snapshot->rows - rows_) / passed);
    copying_ = copying;
    rows_ = copying ? health.snapshot->rows : 0;
    rows_at_ = now;
}

std::string HealthHistory::values_of(const AllSeries& all) const {
    JsonText out;
    out.raw('[');
    for (const Series& series : all) {
        if (&series != &all.front()) out.raw(',');
        out.raw('{');
        out.text("name", series.name);
        out.key("values");
        for (std::size_t i = 1; i <= length; ++i) {
            out.raw(i == 1 ? '[' : ',');
            const float value = series.values[(at_ + i) % length];
            out.raw(std::isnan(value) ? "null" : fmt::format("{:.4g}", value));
        }
        out.raw("]}");
    }
    out.raw(']');
    return std::string(out.view());
}

std::string HealthHistory::json(Time now) {
    advance(now);
    return fmt::format(R"({{"interval":{},"length":{},"lag":{},"rate":{}}})", interval.count(), length,
                       values_of(lags_), values_of(rates_));
}

}  // namespace pgsluice
