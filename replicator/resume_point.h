// Where a replicator continues: what its group's stream says in the headers of its last message.
#pragma once

#include "sql/lsn.h"
#include "stream/message.h"
#include "stream/position.h"

namespace pgsluice {

struct ResumePoint {
    Position position;   // of the last change published; {0/0, 0} when there was none yet
    Lsn safe_flush_lsn;  // all WAL before it is published or holds nothing of ours
    // The slot is confirmed no further than position.commit, so that transaction comes again before any later one does.
    bool comes_again = false;
};

inline ResumePoint resume_point(const MessageMeta& last) { return {last.position, last.safe_flush_lsn, false}; }

}  // namespace pgsluice
