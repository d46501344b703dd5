// Compares what the group's record says of its tables (stream/group/table_record.h) with what the catalog and the
// publication have, and says for each difference what the record is to say next and what the log. Pure.
//
//   the record has        the catalog has                              then
//   --------------------  ------------------------------------------- -------------------------------------------------
//   nothing, or `left`    a table of the group                         copy due
//                         one born as a captured partition             born empty
//   copied, born, ...     no such table                                left: dropped
//                         the table, which no table brings in now      left: detached, or removed from the group
//                         captured by another entry or link, or none   copy due: changes in between may be missing
//                         its name, which another table's rows had     copy due: the targets have the other's rows
//                         another name                                 renamed, and that is all
//   copy due              a table of the group                         still due
//
// "copy due" is "not copied" where nothing is copied (mode stream).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replicator/source/members.h"
#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/group/table_record.h"

namespace pgsluice {

struct CatalogFacts {
    std::span<const Member> members;          // of the tables wanted now
    const std::map<Oid, Existing>& existing;  // of the record's tables
    bool copies = true;                       // rows of joining tables are copied
    bool renames_travel = false;              // targets get them as DDL
    Lsn now;                                  // the WAL's end
    std::string_view group = {};              // for what is said
};

struct Finding {
    TableRecord next;
    LogLevel level = LogLevel::info;
    std::string text = {};   // for the log; empty: nothing to say
    bool publishes = false;  // the publication is to be altered
    bool refused = false;    // only to be said: the table cannot be taken in, `next` is not to be kept
    Oid leaves_out = 0;      // refused: the table that is not to be published, itself or the partitioned one above it
    bool lacks_identity = false;  // refused for that

    [[nodiscard]] bool needs_restart() const noexcept {
        return !refused && (publishes || next.state == TableState::copy_due);
    }
};

// Whether targets may hold rows, delivered as `name`, of a table other than `table`: it is copied when it joins.
bool holds_rows_of_another(const std::map<Oid, TableRecord>& record, const QualifiedName& name, Oid table);

// What a member is recorded as from now on, but for its state, after what `record` says of it.
TableRecord entry_for(const Member& member, const std::map<Oid, TableRecord>& record);

// In order of oid, at most one per table.
std::vector<Finding> reconcile(const std::map<Oid, TableRecord>& record, const CatalogFacts& facts);

}  // namespace pgsluice
