// --target-sync-schema in the middle of the stream: tables are made when the first change of them comes.
//
// Where a transaction is open then, it may have locked tables that theirs refer to. What they lack until it has ended
// is noted on the target, so that a restart within it finishes them, too.
#pragma once

#include <set>
#include <stop_token>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/schema/schema_sync.h"
#include "sinks/postgres/target.h"
#include "sql/connection.h"

namespace pgsluice {

// Those of them that are not left out.
std::vector<const Relation*> pointers(const std::vector<RelationPtr>& tables);

class LateTables {
   public:
    // All must outlive it.
    LateTables(sql::Connection& target, PostgresProgress& progress, SchemaSync& schema,
               const PostgresSinkOptions& options, const std::stop_token& stop)
        : target_(target), progress_(progress), schema_(schema), options_(options), stop_(stop) {}

    // Makes those that the target lacks. `in_transaction`: the target's transaction is open.
    void create_missing(const std::vector<const Relation*>& relations, bool in_transaction);
    // After that transaction's end.
    void finish();
    // After a restart.
    void finish_noted();
    // What is there may have been dropped.
    void forget() { found_.clear(); }

   private:
    sql::Connection& target_;
    PostgresProgress& progress_;
    SchemaSync& schema_;
    const PostgresSinkOptions& options_;
    const std::stop_token& stop_;
    std::vector<RelationPtr> unfinished_;
    std::set<TableName> found_;  // tables that are there or were made
};

}  // namespace pgsluice
