// Cuts a batch into stretches within which tables do not depend on one another.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

// One table's changes of a stretch, in source order.
struct TableChanges {
    std::shared_ptr<TargetMapping> mapping;
    std::vector<const Change*> changes;
    bool only_inserts = true;
};

// Either tables that may be written in any order, or one truncate.
struct Segment {
    std::vector<TableChanges> tables;
    const Change* truncate = nullptr;
};

class PostgresSegments {
   public:
    // Looks mappings up, so the connection must be free. With `keep_order` (triggers and foreign keys are alive) a
    // segment ends wherever the table or the operation changes. The result is valid until the next call.
    std::span<const Segment> cut(const std::vector<Change>& changes, TargetMappings& mappings, bool keep_order);

   private:
    TableChanges& table_of(const Change& change, TargetMappings& mappings, bool keep_order);
    Segment& start();

    std::vector<Segment> segments_;
    std::unordered_map<const TargetMapping*, std::size_t> index_;  // of the last segment's tables
};

}  // namespace pgsluice
