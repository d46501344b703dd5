#include "replicator/source/slot/lag.h"

namespace pgsluice {

namespace {

constexpr std::size_t most_seen = 4096;

}  // namespace

double SlotLag::look(Lsn confirmed, Lsn wal_end, std::int64_t now_us) {
    if (!ahead_.empty() && wal_end < ahead_.back().wal_end) ahead_.clear();  // the source was set back
    if (ahead_.empty() || wal_end > ahead_.back().wal_end) ahead_.push_back({wal_end, now_us});
    while (!ahead_.empty() && ahead_.front().wal_end <= confirmed) ahead_.pop_front();
    if (ahead_.size() > most_seen) thin_out();
    return ahead_.empty() ? 0 : static_cast<double>(now_us - ahead_.front().at_us) / 1e6;
}

// The oldest stays; the longer the lag, the less exact.
void SlotLag::thin_out() {
    std::deque<Seen> kept;
    for (std::size_t i = 0; i < ahead_.size(); i += 2) kept.push_back(ahead_[i]);
    ahead_.swap(kept);
}

}  // namespace pgsluice
