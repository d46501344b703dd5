#include "replicator/wal/ledger.h"

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

void Ledger::published(Lsn confirmable, Time now) {
    if (confirmable < published_) throw std::logic_error("a message's confirmable is below that of the one before it");
    published_ = confirmable;
    last_publish_ = now;
    hurry_ = false;
}

void Ledger::acked(Lsn confirmable) {
    if (confirmable > published_) throw std::logic_error("an acknowledgement of what was not published");
    acked_ = std::max(acked_, confirmable);
}

bool Ledger::marker_due(Lsn reached, Time now) const noexcept {
    return reached > published_ && (hurry_ || now - last_publish_ >= progress_interval_);
}

}  // namespace pgsluice
