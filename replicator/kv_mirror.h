// Keeps copies of values that people may look at (the confirmed LSN, a copy's figures) in the KV bucket, without making
// the data wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice {

class KvMirror {
   public:
    using Keep = std::function<void(const std::string&)>;

    // One value for each of `keeps`, which are called from one thread of the mirror's own, each at most once a second,
    // with its newest value when that has changed. They must not throw. The last values are kept before the destructor
    // returns.
    explicit KvMirror(const std::vector<Keep>& keeps);

    // The value of the keep with this index.
    void set(std::size_t index, std::string value);

   private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto interval = std::chrono::seconds(1);
    struct Mirrored {
        Keep keep;
        std::string newest;
        std::string kept;
        Clock::time_point next{};  // not before
    };

    void run(const std::stop_token& stop);
    [[nodiscard]] bool behind() const;
    // One that is to be kept now, or with `all` one that has changed.
    Mirrored* due(bool all);
    [[nodiscard]] Clock::time_point next_due() const;

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Mirrored> values_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
