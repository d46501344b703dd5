#include "stream/waits.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

using namespace std::chrono_literals;

constexpr auto shortest_repeat = 10s;
constexpr auto repeat = 60s;

std::int64_t seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

void Waits::goes_on(const void* wait, const std::string& whom, const std::string& text,
                    std::chrono::milliseconds waited, Clock::time_point now) {
    {
        const std::lock_guard lock(mutex_);
        const auto [at, is_new] = waits_.try_emplace(wait);
        Wait& known = at->second;
        known.whom = whom;
        known.text = text;
        known.waited = waited;
        const auto since = now - known.logged_at;
        if (!is_new && since < (known.logged == text ? repeat : shortest_repeat)) return;
        known.logged = text;
        known.logged_at = now;
    }
    log_(LogLevel::warning, fmt::format("still waiting for {} after {} s: {}", whom, seconds(waited), text));
}

void Waits::is_over(const void* wait, std::chrono::milliseconds waited) {
    std::string whom;
    {
        const std::lock_guard lock(mutex_);
        const auto found = waits_.find(wait);
        if (found == waits_.end()) return;
        whom = found->second.whom;
        waits_.erase(found);
    }
    log_(LogLevel::info, fmt::format("no longer waiting for {}, after {} s", whom, seconds(waited)));
}

std::string Waits::longest() const {
    const std::lock_guard lock(mutex_);
    const auto found = std::max_element(waits_.begin(), waits_.end(),
                                        [](const auto& a, const auto& b) { return a.second.waited < b.second.waited; });
    if (found == waits_.end()) return {};
    return fmt::format("{} for {} s: {}", found->second.whom, seconds(found->second.waited), found->second.text);
}

}  // namespace pgsluice
