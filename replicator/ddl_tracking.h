// A session's side of --track-ddl: what captures DDL on the source, and what the group is told of it.
#pragma once

#include <optional>

#include "replicator/options.h"
#include "replicator/source/ddl_events.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

class DdlTracking {
   public:
    // Makes the capture on the source, or ends one that is no longer wanted; a stop Error where it cannot be made.
    void prepare(sql::Connection& source, const ReplicatorOptions& options, bool in_recovery, const Log& log);
    // Before a new slot is made beside what the stream has: of commands that the old one has not confirmed, or that no
    // slot kept, the targets may never hear. Says how many there are.
    static void warn_of_unread(sql::Connection& source, const Names& names, const Log& log);
    // Before anything is published: workers execute only DDL that is announced. `stream`: as the session found it.
    void announce(Broker& broker, const Names& names, const std::optional<StreamState>& stream) const;
    // Of its messages in the log; none when nothing is captured.
    [[nodiscard]] const DdlPrefixes& prefixes() const noexcept { return prefixes_; }

   private:
    DdlPrefixes prefixes_;
    bool was_captured_ = false;  // by an earlier start, and no longer
};

}  // namespace pgsluice
