// Whether a DDL message of the WAL was written by the group's event triggers.
//
// pg_logical_emit_message() is for everybody, and whatever a message says, others may say, too. So the triggers note
// each message in table pgsluice.ddl_event, in the transaction that the message is in: its id, the transaction's
// number, a digest of the content. Only the table's owner may write there; who may read it (pg_read_all_data, a dump)
// learns what has been said, and cannot say it again in another transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/names.h"

namespace pgsluice {

// The prefixes of the group's DDL messages (ddl_capture.h).
struct DdlPrefixes {
    std::string noted;  // followed by the message's id; empty: DDL is not captured
    // Of messages up to `old_until` by the triggers of an earlier version, which were told by a secret; empty: there
    // are none.
    std::string old;
    Lsn old_until;
    [[nodiscard]] bool none() const noexcept { return noted.empty(); }
};

// A transactional message as the WAL has it.
struct WalMessage {
    std::uint32_t xid = 0;
    Lsn lsn;  // the end of its record
    std::string_view prefix;
    std::string_view content;
};

class DdlEvents {
   public:
    // Both must outlive it.
    DdlEvents(sql::Connection& source, const Names& names, DdlPrefixes prefixes, const Log& log)
        : source_(source), group_(names.group), prefixes_(std::move(prefixes)), log_(log) {}

    // Asks the source. What is not the triggers' own, but looks like it, is said. The walsender may be ahead of other
    // sessions: waits until they see the transaction.
    [[nodiscard]] bool holds(const WalMessage& message);

   private:
    [[nodiscard]] bool is_noted(const WalMessage& message, std::string_view id);

    sql::Connection& source_;
    std::string group_;
    DdlPrefixes prefixes_;
    const Log& log_;
    std::uint32_t xid_ = 0;
    std::set<std::string, std::less<>> taken_;  // ids of the messages of that transaction: each counts once
};

}  // namespace pgsluice
