// --target-sync-schema: creates on the target what the source's tables are and depend on.
//
// Tables and what they depend on are made before the load, indexes, constraints and triggers after it, over several
// connections. What the tables do not need is never made; what they need and cannot be made (an
// extension that is not installed there) is a warning, and an error once a table depends on it. What exists
// already is left as it is, so every step can be done again.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/definition_rules.h"
#include "sinks/options.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/schema/defined_tables.h"
#include "sinks/postgres/schema/definition_entries.h"
#include "sinks/postgres/schema/dumped_schema.h"
#include "sinks/postgres/schema/schema_maker.h"
#include "sinks/postgres/schema/source_schema.h"
#include "sinks/postgres/target.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/base/log.h"

namespace pgsluice {

class SchemaSync {
   public:
    SchemaSync(const PostgresSinkOptions& options, TargetOrigins& origins, const Log& log, std::stop_token stop)
        : options_(options),
          log_(log),
          stop_(stop),
          maker_(options, origins, log, stop, tell_),
          dumped_(options, std::move(stop), tell_) {}

    // Called several times a second while something takes its time, by the thread that waits.
    void while_waiting(std::function<void()> tell) { tell_ = std::move(tell); }
    // What rules and routing make of definitions; without it they stay as they are.
    void rule_definitions(RuleDefinitions rules) { rules_ = std::move(rules); }
    // Called before anything is made, with an LSN of the source: commands up to there may be contained in it.
    void when_read(std::function<void(Lsn)> read) { read_ = std::move(read); }

    // `tables` are as the target shall have them, after rules and routing. With pg_dump, one that a routing file sends
    // elsewhere than to its own name gets the columns that come, their types and its key; the others are as in the
    // source, apart from NOT NULL where a rule leaves a column out. A table that the source no longer has gets the
    // columns that come and its key; with pg_dump it is skipped. A stop Error, and nothing is made, when one of them
    // has changed since its rows were copied: `then` are the source's tables as the snapshot's begin marker has them,
    // index by index; without a snapshot it is empty. `joined`: the snapshot is of tables that joined a running group,
    // of which one may have been dropped by now.
    void create_tables(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then = {},
                       bool joined = false);
    // Indexes, constraints, triggers; with pg_dump, routed tables get none. `relations` are those that create_tables()
    // was given. Foreign keys lock the tables they point to: without them where the caller has a transaction open that
    // wrote there.
    void create_rest(std::vector<TableName> tables, const std::vector<const Relation*>& relations,
                     bool foreign_keys = true);
    // Sets the sequences of the tables' columns to the source's values, where the target's lag.
    void set_sequences(const std::vector<TableName>& tables);

   private:
    void refuse_drift(sql::Connection& source, sql::Connection& target, const std::vector<const Relation*>& tables,
                      const std::vector<const Relation*>& then, bool may_be_gone = false);
    void note_read(sql::Connection& source);
    [[nodiscard]] bool is_routed(const Relation& table, const Relation* then) const;
    void find_routed(sql::Connection& source, const std::vector<const Relation*>& tables);
    void create_routed(sql::Connection& source, sql::Connection& target, const Relation& table);
    void create_as_in_source(sql::Connection& source, sql::Connection& target,
                             const std::vector<const Relation*>& relations, const std::vector<Oid>& types,
                             const std::vector<const Relation*>& then);
    void create_dumped(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then);
    void create_defined(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then,
                        bool joined);
    EntriesAfterLoad defined_rest(sql::Connection& source, const std::vector<const Relation*>& relations);
    SourceSchema read(sql::Connection& source, const std::vector<const Relation*>& tables);
    void require_made(sql::Connection& target, const std::vector<NeededObject>& unread);
    // What the tables are called at the source now; the name they have here, where it does not know them.
    std::vector<TableName> source_names(sql::Connection& source, const std::vector<const Relation*>& tables);
    sql::Connection connect_source();

    const PostgresSinkOptions& options_;
    const Log& log_;
    std::stop_token stop_;
    std::function<void()> tell_ = [] {};
    std::function<void(Lsn)> read_ = [](Lsn) {};
    RuleDefinitions rules_;
    SchemaMaker maker_;
    DumpedSchema dumped_;
    std::set<TableName> routed_;                   // tables of the target that are not their namesakes of the source
    std::map<TableName, TableName> source_names_;  // of tables whose rest was made
    std::set<Oid> rowless_;                        // partitionless tables, as last read
};

}  // namespace pgsluice
