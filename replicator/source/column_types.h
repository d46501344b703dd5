// Fills in what a Column says about its type beyond the type's OID, from pg_type, its number, and whether it is in a
// unique index; and what a partition is a part of.
//
// The snapshot's relations and those of pgoutput's Relation messages must come out identical, so both get their
// columns from here. Answers are kept per type OID for as long as the object lives: make a new one for each session.
// forget() is for types that were changed meanwhile (ALTER TYPE ... RENAME shows as a new Type message of pgoutput).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/change.h"

namespace pgsluice {

class ColumnTypes {
   public:
    // The connection must be in no COPY and stay alive. A call takes two queries, however many relations it is given,
    // and two more when it meets unknown types.
    explicit ColumnTypes(sql::Connection& connection) : connection_(connection) {}

    // Sets type_name, base_oid and element_oid of every column from its type_oid, and `unique` and `ancestors` from the
    // indexes and the tables above that the table has now (a change of them makes pgoutput describe it again). `number`
    // is told when the table's columns are now what the relation says they were, or when a captured command has made
    // them so. A type that has been dropped since (a change from before the drop is being read) becomes "???" with
    // base_oid = type_oid, element_oid = 0. Names are qualified unless in pg_catalog, whatever the search_path.
    void fill(std::span<Relation> relations);

    // The log describes tables one at a time, as their first changes come. Those expected are looked up together with
    // one that is described; what was read so is used for transactions that were committed before it was read, so that
    // it is never older than what the log tells. `xid`: the transaction's.
    void expect(std::set<Oid> tables) { expected_ = std::move(tables); }
    void fill_from_log(Relation& relation, Lsn committed, std::uint32_t xid);

    // What a captured command has made of a table: definitions of it that follow in the log are numbered by this, as
    // the catalog may have moved on already.
    void captured(Oid table, std::vector<sql::CatalogColumn> columns) { captured_[table] = std::move(columns); }

    void forget(Oid type_oid) { known_.erase(type_oid); }

   private:
    struct Type {
        std::string name;
        Oid base = 0;
        Oid element = 0;
    };
    struct Facts {
        sql::ColumnsByTable columns;
        sql::TablesByTable ancestors;
    };
    // Read before they were asked for.
    struct Ahead {
        Facts facts;
        std::set<Oid> tables;  // of these, and not used yet
        Lsn read_at;           // not before this
        bool used = true;
    };
    void load(std::span<const Relation> relations);
    Facts facts_of(std::span<const Oid> tables);
    void complete(Relation& relation, const Facts& facts);
    void look_ahead(Oid table);

    sql::Connection& connection_;
    std::unordered_map<Oid, Type> known_;
    sql::ColumnsByTable captured_;
    std::set<Oid> expected_;
    Ahead ahead_;
    std::size_t tables_ahead_ = 64;  // read at once the last time
};

}  // namespace pgsluice
