// Figures that the loops write as they run and that others read at any time, for /metrics. A write costs a load and a
// store: no lock, no atomic read-modify-write. So each figure has one writing thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace pgsluice {

// Only grows.
class Tally {
   public:
    void add(std::uint64_t more = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
   public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::int64_t> value_{0};
};

// How long something has been done in all, the time that it is being done now included.
class Spell {
   public:
    using Clock = std::chrono::steady_clock;

    void begin(Clock::time_point now = Clock::now()) noexcept { since_us_.set(us(now)); }
    void end(Clock::time_point now = Clock::now()) noexcept {
        done_us_.add(static_cast<std::uint64_t>(us(now) - since_us_.get()));
        since_us_.set(0);
    }
    [[nodiscard]] double seconds(Clock::time_point now = Clock::now()) const noexcept {
        const std::int64_t since = since_us_.get();
        const std::int64_t running = since == 0 || us(now) < since ? 0 : us(now) - since;
        return static_cast<double>(done_us_.get() + static_cast<std::uint64_t>(running)) / 1e6;
    }
    // 0 while it is not being done.
    [[nodiscard]] double running_seconds(Clock::time_point now = Clock::now()) const noexcept {
        const std::int64_t since = since_us_.get();
        return since == 0 || us(now) < since ? 0 : static_cast<double>(us(now) - since) / 1e6;
    }

    class During {
       public:
        explicit During(Spell& spell) noexcept : spell_(spell) { spell_.begin(); }
        ~During() { spell_.end(); }
        During(const During&) = delete;
        During& operator=(const During&) = delete;

       private:
        Spell& spell_;
    };

   private:
    static std::int64_t us(Clock::time_point time) noexcept {
        return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    }

    Tally done_us_;
    Gauge since_us_;
};

// How many of what took how long.
class Durations {
   public:
    static constexpr std::array<double, 17> bounds{0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                   1,     2.5,   5,     10,   30,    60,   300, 3600};

    void add(double seconds) noexcept {
        std::size_t bucket = 0;
        while (bucket < bounds.size() && seconds > bounds[bucket]) ++bucket;
        counts_[bucket].add();
        sum_us_.add(static_cast<std::uint64_t>(seconds > 0 ? seconds * 1e6 : 0));
    }
    // Of the bucket up to bounds[bucket], without those before it; bounds.size(): of those above all bounds.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].get(); }
    [[nodiscard]] double sum() const noexcept { return static_cast<double>(sum_us_.get()) / 1e6; }

   private:
    std::array<Tally, bounds.size() + 1> counts_;
    Tally sum_us_;
};

}  // namespace pgsluice
