// Tables whose rows the operator kept when a command announced that they come again (a recopy that was left out). The
// copy writes over rows of the same key and empties nothing. Kept in pgsluice.unchecked on the target, class 'kept'.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"
#include "stream/change.h"

namespace pgsluice {

class KeptRows {
   public:
    KeptRows(PostgresSession& session, const PostgresSinkOptions& options) : session_(session), options_(options) {}

    // In the open transaction. Of a partitioned table: its partitions. Returns these tables and those that they are
    // partitions of, quoted and qualified.
    std::vector<std::string> keep(const QualifiedName& table);
    // The target's oids, with the tables that they are partitions of.
    [[nodiscard]] std::set<Oid> tables();
    // In the open transaction, once a copy has brought the rows of these tables and of their partitions.
    void forget(const std::vector<RelationPtr>& tables);

   private:
    PostgresSession& session_;
    const PostgresSinkOptions& options_;
};

// Whether a copy's rows may meet others in the table and are written over them: by the user's choice (`keep`), as its
// rows were kept, or because no row is ever removed there.
inline bool is_written_over(const TargetMapping& mapping, bool keep, const std::set<Oid>& kept) {
    const bool stay = mapping.relation.keeping.mode == Keeping::Mode::append;
    return mapping.arbiter && (keep || stay || kept.contains(mapping.table.oid));
}

}  // namespace pgsluice
