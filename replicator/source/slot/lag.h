// For how long the slot has been behind, by where the WAL ended at earlier looks. What PostgreSQL shows of that
// (flush_lag) stays as it was measured last while the replicator confirms nothing, as before a full stream. Pure.
#pragma once

#include <cstdint>
#include <deque>

#include "sql/lsn.h"

namespace pgsluice {

class SlotLag {
   public:
    // A look: the slot is confirmed up to there, and the WAL ended there. Returns for how many seconds it has been
    // behind at least: exact but for the time between two looks.
    double look(Lsn confirmed, Lsn wal_end, std::int64_t now_us);

   private:
    void thin_out();

    struct Seen {
        Lsn wal_end;
        std::int64_t at_us = 0;
    };
    std::deque<Seen> ahead_;  // what is not confirmed, oldest first
};

}  // namespace pgsluice
