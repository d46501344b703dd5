// Tables that joined a running group: their rows are copied as of a temporary slot made for that, and put into the
// stream where its consistent point is. Up to there the log is published without their changes, which the rows hold;
// from there on with them. The group's slot waits meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/tables/owed.h"
#include "sql/catalog.h"
#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

class JoinedTables {
   public:
    // Reads the log up to the LSN, without the changes of these tables.
    using ReadUntil = std::function<void(Lsn, const std::set<Oid>&)>;

    // `named`: all tables of the group.
    JoinedTables(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> named,
                 ReadUntil read_until)
        : ends_(ends), owed_(owed), named_(named), read_until_(std::move(read_until)) {}

    // An epoch of joined tables that was interrupted: an epoch of no tables, published after it, makes the workers
    // discard what they loaded, so that changes can follow. `last` is the stream's last message.
    void discard_interrupted(const LastMessage& last, std::uint64_t epoch);
    // Copies all tables whose copy is due. Where changes continue.
    ResumePoint copy(std::uint64_t epoch);
    // Tables that were to be copied and no longer are, because nothing is to be copied: changes from the time when they
    // belonged to the group would come without the rows they are about, so they are left out.
    ResumePoint leave_out();

   private:
    [[nodiscard]] std::vector<sql::CatalogTable> due_tables() const;

    const ReplicatorEnds& ends_;
    OwedTables& owed_;
    std::span<const sql::CatalogTable> named_;
    ReadUntil read_until_;
};

}  // namespace pgsluice
