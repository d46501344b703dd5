// What was published, what is acknowledged, and what may therefore be confirmed to the slot.
//
// It keeps the invariant by which a lost stream is noticed: the slot's confirmed LSN is never above `safe_flush_lsn` of
// the stream's last message. So WAL that holds nothing of ours is confirmed only by way of a progress marker in the
// stream. Pure: time is passed in.
#pragma once

#include <chrono>
#include <optional>

#include "sql/lsn.h"

namespace pgsluice {

class Ledger {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // `stored`: safe_flush_lsn of the stream's last message when the session began.
    Ledger(Lsn stored, std::chrono::milliseconds progress_interval, Time now)
        : published_(stored), acked_(stored), progress_interval_(progress_interval), last_publish_(now) {}

    // A message with this safe_flush_lsn was handed to the publisher.
    void published(Lsn safe_flush_lsn, Time now);
    // The stream holds every message up to one with this safe_flush_lsn. std::logic_error when none such was published.
    void acked(Lsn safe_flush_lsn);
    // The server wants a status now (it asked for a reply; one that shuts down waits until all is confirmed): the next
    // marker is due at once.
    void hurry() noexcept { hurry_ = true; }

    // What the slot may be told.
    [[nodiscard]] Lsn confirmed() const noexcept { return acked_; }
    // Whether to publish a progress marker for `reached`: WAL before which everything of ours is published. The caller
    // asks only between transactions and with nothing left to publish.
    [[nodiscard]] bool marker_due(Lsn reached, Time now) const noexcept;

   private:
    Lsn published_;
    Lsn acked_;
    std::chrono::milliseconds progress_interval_;
    Time last_publish_;
    bool hurry_ = false;
};

}  // namespace pgsluice
