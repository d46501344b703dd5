#include "replicator/wal/ledger.h"

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

void Ledger::published(Lsn safe_flush_lsn, Time now) {
    if (safe_flush_lsn < published_)
        throw std::logic_error("a message's safe_flush_lsn is below that of the one before it");
    published_ = safe_flush_lsn;
    last_publish_ = now;
    hurry_ = false;
}

void Ledger::acked(Lsn safe_flush_lsn) {
    if (safe_flush_lsn > published_) throw std::logic_error("an acknowledgement of what was not published");
    acked_ = std::max(acked_, safe_flush_lsn);
}

bool Ledger::marker_due(Lsn reached, Time now) const noexcept {
    return reached > published_ && (hurry_ || now - last_publish_ >= progress_interval_);
}

}  // namespace pgsluice
