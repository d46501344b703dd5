// Decides for each table that the log describes whether its changes are delivered, by the group's record of tables.
// What the record does not know is looked up in the catalog at once, before the first of its changes is published.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "replicator/ends.h"
#include "replicator/tables/monitor.h"
#include "replicator/tables/owed.h"
#include "replicator/tables/reconcile.h"
#include "replicator/tables/wanted.h"
#include "replicator/wal/encoder.h"

namespace pgsluice {

class TableGate {
   public:
    // `monitor` may be null: then only what the log describes is looked at.
    TableGate(const ReplicatorEnds& ends, OwedTables& owed, WantedTables& wanted, TableMonitor* monitor)
        : ends_(ends), owed_(owed), wanted_(wanted), monitor_(monitor) {}

    // For a definition in the log, of a transaction that was committed there.
    TableVerdict verdict(const Relation& relation, Lsn committed);
    // Of one that is published: changes committed before that are left out.
    [[nodiscard]] Lsn published_from(Oid table) const;
    [[nodiscard]] std::vector<QualifiedName> came_as(const Relation& relation) const { return owed_.came_as(relation); }
    // What is delivered of these tables is to be delivered again, as of a later time than now. Before it is called, the
    // stream must not hold a word of why.
    void copy_again(const std::set<Oid>& tables, std::string_view reason);
    // Whether what is delivered as one of these partitioned tables is to be delivered again; where the catalog says so
    // and the record does not yet, as copy_again() does it.
    bool is_void(const std::set<Oid>& roots, std::string_view reason);
    // The same of a table that is delivered under its own name, and has been before.
    bool is_void(Oid table, std::string_view reason);
    // Those of the tables that are delivered, or will be.
    [[nodiscard]] std::set<Oid> active(const std::set<Oid>& tables) const { return recorded(tables, true); }
    // Those that were delivered and no longer are.
    [[nodiscard]] std::set<Oid> left(const std::set<Oid>& tables) const { return recorded(tables, false); }
    // Whether the monitor has found what only a new session can repair. What needs none is repaired here.
    bool session_must_end();

   private:
    [[nodiscard]] std::set<Oid> recorded(const std::set<Oid>& tables, bool active) const;
    enum class Known : std::uint8_t { delivered, left_out, unknown };
    [[nodiscard]] Known known(const Relation& relation, Lsn committed, bool looked) const;
    TableVerdict verdict_on_unseen(const Relation& relation);
    // The catalog's word on that: then the tables are copied again.
    bool becomes_void(const std::set<Oid>& tables, std::string_view reason,
                      const std::function<bool(const TableRecord& next)>& is_of_them);
    [[nodiscard]] std::vector<Finding> differences();
    TableVerdict verdict_on_other_name(const Relation& relation, Lsn committed);
    // False when only a new session can repair what differs.
    bool look();

    const ReplicatorEnds& ends_;
    OwedTables& owed_;
    WantedTables& wanted_;
    TableMonitor* monitor_;
};

}  // namespace pgsluice
