// A group's lags and rates of the last hour, one sample for every five seconds. Its memory is bounded: so many samples
// of so many workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "stream/health/group_health.h"

namespace pgsluice {

class HealthHistory {
   public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::seconds interval{5};
    static constexpr std::size_t length = 720;
    static constexpr std::size_t most_workers = 20;  // further ones are left out

    // Of several looks within one sample, the longest lag and the last rate are kept.
    void note(const GroupHealth& health, Time now);
    // {"interval":5,"length":720,"lag":[{"name":"slot","values":[...]},...],"rate":[...]}: seconds, and changes a
    // second, the oldest first, null where they were not known.
    [[nodiscard]] std::string json(Time now);

   private:
    struct Series {
        std::string name;
        std::vector<float> values;  // a ring; NaN: not known
    };
    using AllSeries = std::vector<Series>;

    void advance(Time now);
    void note_rows(const GroupHealth& health, Time now);
    [[nodiscard]] float* sample(AllSeries& all, const std::string& name) const;
    [[nodiscard]] std::string values_of(const AllSeries& all) const;

    bool begun_ = false;
    Time end_{};          // when the newest sample's time began
    std::size_t at_ = 0;  // its place in the rings
    AllSeries lags_;
    AllSeries rates_;
    std::uint64_t rows_ = 0;  // of the snapshot, at the last look,
    Time rows_at_{};          // which was then
    bool copying_ = false;
};

}  // namespace pgsluice
