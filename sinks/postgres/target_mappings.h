// The mappings of the relations seen so far.
#pragma once

#include <memory>

#include "sinks/postgres/lossy_columns.h"
#include "sinks/postgres/missing_columns.h"
#include "sinks/postgres/target_mapping.h"
#include "stream/per_relation.h"

namespace pgsluice {

class TargetMappings {
   public:
    // Both must outlive it.
    TargetMappings(sql::Connection& connection, OnMissingColumn on_missing, const Log& log)
        : connection_(connection), missing_(connection, on_missing, log), lossy_(log) {}

    // Looks the table up in the target's catalog when the relation is seen first; the connection must be free then.
    const std::shared_ptr<TargetMapping>& at(const Relation& relation);
    // The target's catalog may have changed.
    void forget() { mappings_.clear(); }
    // It has, as the source's has.
    void follow() {
        forget();
        missing_.forget();
    }
    // The table is copied, again perhaps.
    void copied(Oid oid) { missing_.forget(oid); }

   private:
    sql::Connection& connection_;
    MissingColumns missing_;
    LossyColumns lossy_;
    PerRelation<std::shared_ptr<TargetMapping>> mappings_;
};

}  // namespace pgsluice
