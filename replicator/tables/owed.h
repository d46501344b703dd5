// The replicator's handling of the group's record of tables: what is written when, so that a crash between any two
// steps is repaired by the next start.
//
//   a table joins       record: copy due      before the publication has it
//   its epoch begins    record: epoch, LSN    before snapshot-begin is published
//   its epoch ends      record: copied        after snapshot-end is stored, before anything else is published
//
// So the record and the stream's last message together say what is due: where that is the end of an epoch, the tables
// that were due in it are copied.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "replicator/source/members.h"
#include "replicator/tables/reconcile.h"
#include "stream/base/log.h"
#include "stream/group/table_record.h"
#include "stream/message.h"

namespace pgsluice {

class OwedTables {
   public:
    OwedTables(Broker& broker, const Names& names, const Log& log) : records_(broker, names), log_(log) {}

    [[nodiscard]] const std::map<Oid, TableRecord>& all() const noexcept { return records_.all(); }
    [[nodiscard]] bool kept() const noexcept { return records_.kept(); }
    // TableRecords.
    [[nodiscard]] const std::string& publication() const noexcept { return records_.publication(); }
    void note_publication(const std::string& version) { records_.note_publication(version); }
    // Tables whose copy is due.
    [[nodiscard]] std::set<Oid> due() const;

    // Relation::came_as of a table that changes name.
    [[nodiscard]] std::vector<QualifiedName> came_as(const Relation& delivered) const;
    // The same of one whose rows, which are in `parts`, are about to be copied.
    [[nodiscard]] std::vector<QualifiedName> came_as(const Relation& delivered,
                                                     std::span<const sql::CatalogTable> parts) const;

    // A running group without a record, of an older version or of a bucket that was lost: takes what is published for
    // delivered, but for `due`, and says so.
    void take_over(std::span<const Member> members, const std::set<Oid>& due, Lsn now);
    // The stream's last message, before anything is published after it.
    void confirm(const LastMessage& last);
    // Keeps what is to be kept and logs all of it.
    void apply(std::span<const Finding> findings);
    // Tables whose rows are due again while the log is read: only another session copies them.
    void copy_again(std::span<const Finding> findings);
    [[nodiscard]] bool copies_added() const noexcept { return copies_added_; }
    // A new group, or one that starts over, of these tables alone.
    void begin(std::span<const Member> members, TableState state, Lsn lsn, std::uint64_t epoch = 0);
    // An epoch of tables that are due.
    void begin_epoch(std::span<const Member> members, Lsn point, std::uint64_t epoch);
    // `rows` by the oid of the table as its changes name it.
    void end_epoch(std::uint64_t epoch, const std::map<Oid, std::uint64_t>& rows = {});
    // Tables that are due become something else.
    void change_due(const std::function<std::optional<TableRecord>(TableRecord)>& next);

   private:
    [[nodiscard]] TableRecord entry_of(const Member& member, TableState state, Lsn lsn) const;
    void forget_predecessors();

    TableRecords records_;
    const Log& log_;
    bool copies_added_ = false;
};

}  // namespace pgsluice
