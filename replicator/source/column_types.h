// Fills in what a Column says about its type beyond the type's OID, from pg_type, its number, and whether it is in a
// unique index; and what a partition is a part of.
//
// The snapshot's relations and those of pgoutput's Relation messages must come out identical, so both get their
// columns from here. Answers are kept per type OID for as long as the object lives: make a new one for each session.
// forget() is for types that were changed meanwhile (ALTER TYPE ... RENAME shows as a new Type message of pgoutput).
#pragma once

#include <span>
#include <string>
#include <unordered_map>

#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

class ColumnTypes {
   public:
    // The connection must be in no COPY and stay alive; three queries per call, and another when it meets unknown
    // types.
    explicit ColumnTypes(sql::Connection& connection) : connection_(connection) {}

    // Sets type_name, base_oid and element_oid of every column from its type_oid, and `unique` and `ancestors` from the
    // indexes and the tables above that the table has now (a change of them makes pgoutput describe it again). `number`
    // is told when the table's columns are now what the relation says they were. A type
    // that has been dropped since (a change from before the drop is being read) becomes "???" with base_oid = type_oid,
    // element_oid = 0. Names are qualified unless in pg_catalog, whatever the search_path.
    void fill(Relation& relation);
    void forget(Oid type_oid) { known_.erase(type_oid); }

   private:
    struct Type {
        std::string name;
        Oid base = 0;
        Oid element = 0;
    };
    void load(std::span<const Column> columns);

    sql::Connection& connection_;
    std::unordered_map<Oid, Type> known_;
};

}  // namespace pgsluice
