#include "replicator/source/wal_retention_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

// With less room than this the warning begins (or than half of a small limit), and also once less than a quarter of the
// limit is left.
constexpr std::int64_t low_room_bytes = 256LL << 20;

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

void WalRetentionCheck::look(sql::Connection& source, std::chrono::steady_clock::time_point now) {
    const auto found = source.query(
        "SELECT wal_status, safe_wal_size, pg_current_wal_lsn() - restart_lsn, pg_current_wal_lsn() - '0/0'::pg_lsn "
        "FROM pg_replication_slots WHERE slot_name = $1 AND restart_lsn IS NOT NULL",
        {slot_}, {4, 0, 1});
    if (found.rows() == 0) return;
    SlotRetention state{found.text(0, 0), std::nullopt, found.integer(0, 2), found.integer(0, 3)};
    if (found.get(0, 1)) state.safe_wal_size = found.integer(0, 1);
    double rate = 0;
    if (last_end_) {
        const std::chrono::duration<double> seconds = now - last_look_;
        if (seconds.count() > 0) rate = static_cast<double>(state.wal_end - *last_end_) / seconds.count();
    }
    last_end_ = state.wal_end;
    last_look_ = now;
    if (const auto text = warning(slot_, state, rate); !text.empty()) log_(LogLevel::warning, text);
}

}  // namespace pgsluice
