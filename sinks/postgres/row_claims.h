// Whose the rows are that constants tell apart in a table that several workers fill (pgsluice.own_rows on the target):
// two workers with the same values would write over each other's rows and remove them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

class RowClaims {
   public:
    // All must outlive it.
    RowClaims(PostgresSession& session, TargetMappings& mappings, const PostgresSinkOptions& options)
        : session_(session), mappings_(mappings), options_(options) {}

    // Before anything is written to these tables, in the open transaction if there is one. A stop Error when another
    // worker has the rows.
    void claim(const std::vector<const Relation*>& relations);
    // The transaction was rolled back.
    void forget() { held_.clear(); }

   private:
    void require_ours(const std::string& places);

    PostgresSession& session_;
    TargetMappings& mappings_;
    const PostgresSinkOptions& options_;
    std::set<std::string> held_;
};

}  // namespace pgsluice
