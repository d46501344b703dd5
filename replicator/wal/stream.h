// The streaming loop: WAL in, blocks out, the slot confirmed up to what is acknowledged.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "replicator/options.h"
#include "replicator/resume_point.h"
#include "replicator/wal/encoder.h"
#include "replicator/wal/source.h"
#include "stream/base/log.h"
#include "stream/last_change.h"
#include "stream/publisher.h"

namespace pgsluice {

// What the loop asks others and reports to them. All are called from the loop's thread and must not wait for a network.
struct WalStreamHooks {
    TypeLookup types;
    // Called with what each status confirmed, about once a second; for the copy in KV. May be empty.
    std::function<void(Lsn confirmed)> confirmed;
    // Called as often, after changes were published, with the newest of each table that has come so far. May be empty.
    std::function<void(const LastChanges&)> changed;
    // The slot is confirmed no further than this (--confirm applied); never below what it was told before. At least
    // where the slot was at the start. Empty: no further limit.
    std::function<Lsn()> confirm_limit;
    Log log;  // may be empty
    // Asked with every status, about once a second: true ends the session. May take a moment. May be empty.
    std::function<bool()> session_must_end;
    // Asked now and then while the publisher has had no room for a while: whether the source is about to invalidate the
    // slot. A retry Error when it has done so. May be empty.
    std::function<bool()> slot_in_danger;
    // Reading ends here: everything committed before is published, without the changes of the tables `left_out`.
    std::optional<Lsn> until;
    std::set<Oid> left_out;
};

enum class WalEnd : std::uint8_t {
    stopped,      // asked to stop
    reached,      // `until`, and all of it is stored
    session_end,  // TableVerdict::end_session, or the hook: the next session continues
};

// Reads the started source from `resume` on and publishes everything through `publisher`, whose generation begins just
// after the message that `resume` was read from. Returns when asked to stop: reading ends at once, what is decoded is
// published (in mid-transaction too), its acks are awaited for a few seconds and a last status is sent. Throws a retry
// Error when the source or the publisher's generation breaks; then start again from the stream's last message.
WalEnd stream_wal(WalSource& source, Publisher& publisher, const ResumePoint& resume, const ReplicatorOptions& options,
                  const WalStreamHooks& hooks, std::stop_token stop);

}  // namespace pgsluice
