// A standby that is read may come to another timeline while it is: it is promoted itself, or its primary is replaced.
// It stays the same server, so all that was read lies on the new timeline, too. Noted at once, so that the next start
// does not take that for changes which the source lacks.
#pragma once

#include <cstdint>

#include "replicator/ends.h"
#include "sql/replication.h"

namespace pgsluice {

class TimelineWatch {
   public:
    explicit TimelineWatch(const ReplicatorEnds& ends);

    // Asks the source, over a connection of its own.
    void look();

   private:
    const ReplicatorEnds& ends_;
    sql::ReplicationConnection connection_;
    std::uint32_t known_ = 0;
};

}  // namespace pgsluice
