// Measures since when something lags. It is told from time to time where the end is and how far the follower is. The
// follower's state is as of the time when the last end that it has reached was seen. So only our own clock counts, and
// the answer is as exact as these reports are close together.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace pgsluice {

class LagClock {
   public:
    // Times are microseconds of one clock. Ends never fall.
    void look(std::int64_t end, std::int64_t at, std::int64_t now_us);

    // `commit_time_us`: of the last transaction that the follower has, which may be later than the last look; 0 when it
    // has none. Nothing before the first look.
    [[nodiscard]] std::optional<double> seconds(std::int64_t at, std::int64_t commit_time_us,
                                                std::int64_t now_us) const;
    [[nodiscard]] std::optional<std::int64_t> distance(std::int64_t at) const;

   private:
    void thin_out();

    struct Seen {
        std::int64_t end;
        std::int64_t time_us;
    };
    std::deque<Seen> ahead_;  // not reached yet
    std::optional<std::int64_t> end_;
    std::int64_t as_of_us_ = 0;
};

}  // namespace pgsluice
