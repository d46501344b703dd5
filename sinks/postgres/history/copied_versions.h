// A snapshot of tables whose history is kept: it is loaded beside each table, and at its end only differences from what
// is valid become versions.
//
// Where it is loaded is a table of ours, pgsluice."copy_...", of texts: nothing of the target's types is evaluated with
// our rights. It outlives a restart, as what pgsluice.loaded says of it does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

class CopiedVersions {
   public:
    CopiedVersions(PostgresSession& session, TargetMappings& mappings, const PostgresSinkOptions& options)
        : session_(session), mappings_(mappings), options_(options) {}

    // Quoted and qualified: where the rows of this table are loaded.
    static std::string place(const PostgresSinkOptions& options, const Relation& relation);

    // Removes those of a worker that is over.
    static void drop_all(sql::Connection& connection, const std::string& group, const std::string& worker);

    // In the open transaction: makes the tables for those of these whose history is kept, and removes any of an earlier
    // copy. Null ones are skipped.
    void prepare(const std::vector<RelationPtr>& tables);
    // In the open transaction: as of this time, and removes them. Microseconds since 2000-01-01 UTC. `shared`:
    // SnapshotTargets::shared; there nothing is closed that is not in the copy.
    void merge(const std::vector<RelationPtr>& tables, const std::map<std::uint32_t, std::set<std::string>>& shared,
               std::int64_t time_us);

   private:
    void merge(const std::vector<const Relation*>& tables, const std::string& time, bool whole);
    std::string readable(const Relation& relation, const std::optional<std::string>& owner);
    void drop_all();

    PostgresSession& session_;
    TargetMappings& mappings_;
    const PostgresSinkOptions& options_;
};

}  // namespace pgsluice
