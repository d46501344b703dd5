#include "replicator/source/slot/wal_retention_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

// With less room than this the warning begins (or than half of a small limit), and also once less than a quarter of the
// limit is left.
constexpr std::int64_t low_room_bytes = 256LL << 20;
constexpr std::chrono::seconds warning_interval(10);
constexpr std::chrono::seconds rate_window(8);

bool is_low(const SlotRetention& state) {
    if (!state.safe_wal_size) return false;
    const std::int64_t limit = state.retained_bytes + *state.safe_wal_size;
    return *state.safe_wal_size < std::min(low_room_bytes, limit / 2) ||
           *state.safe_wal_size < state.retained_bytes / 3;
}

std::string time_left(std::int64_t bytes, double bytes_per_second) {
    if (bytes_per_second < 1) return "";
    return fmt::format(", at the present rate in about {:.0f} s", static_cast<double>(bytes) / bytes_per_second);
}

}  // namespace

std::string WalRetentionCheck::warning(const std::string& slot, const SlotRetention& state, double bytes_per_second) {
    if (state.wal_status == "unreserved")
        return fmt::format(
            "slot '{}' is about to be lost: it needs {} bytes of WAL, more than max_slot_wal_keep_size allows, and the "
            "next checkpoint of the source may remove them; raise max_slot_wal_keep_size now",
            slot, state.retained_bytes);
    if (!is_low(state)) return "";
    return fmt::format(
        "slot '{}' keeps {} bytes of WAL; after {} more bytes of WAL it will be lost{}; raise max_slot_wal_keep_size "
        "or "
        "let the replicator catch up",
        slot, state.retained_bytes, *state.safe_wal_size, time_left(*state.safe_wal_size, bytes_per_second));
}

// Over the last ten seconds or so.
double WalRetentionCheck::rate(std::int64_t wal_end, std::chrono::steady_clock::time_point now) {
    const std::chrono::duration<double> seconds = now - last_look_;
    if (last_end_ && seconds < rate_window) return rate_;
    if (last_end_) rate_ = static_cast<double>(wal_end - *last_end_) / seconds.count();
    last_end_ = wal_end;
    last_look_ = now;
    return rate_;
}

std::optional<SlotRetention> WalRetentionCheck::look(const SlotHealth& seen,
                                                     std::chrono::steady_clock::time_point now) {
    if (!seen.exists) return std::nullopt;
    SlotRetention state{seen.wal_status,
                        seen.safe_bytes,
                        static_cast<std::int64_t>(seen.held_bytes),
                        static_cast<std::int64_t>(seen.wal_end.value),
                        0,
                        seen.active};
    state.bytes_per_second = rate(state.wal_end, now);
    if (now < next_warning_) return state;
    const auto text = warning(slot_, state, state.bytes_per_second);
    if (!text.empty()) {
        log_(LogLevel::warning, text);
        next_warning_ = now + warning_interval;
    } else if (warned_) {
        log_(LogLevel::info,
             fmt::format("slot '{}' is no longer in danger: it keeps {} bytes of WAL", slot_, state.retained_bytes));
    }
    warned_ = !text.empty();
    return state;
}

}  // namespace pgsluice
