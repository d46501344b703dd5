// What was counted of each table. The number of tables is bounded, because each is a time series in Prometheus.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "stream/change.h"
#include "stream/metrics/tally.h"

namespace pgsluice {

struct TableTally {
    std::array<Tally, 4> changes;  // by Op: insert, update, del, truncate
    Tally bytes;
    Tally dropped;      // by rules
    Tally rewritten;    // by rules
    Tally copied_rows;  // of snapshots

    void count(Op op) noexcept { changes[static_cast<std::size_t>(op)].add(); }
};

class TableTallies {
   public:
    static constexpr std::size_t max_tables = 500;
    // Tables beyond that are counted together, under this name and an empty schema.
    static constexpr const char* others = "(others)";

    // Stays where it is. Takes a lock, so not to be asked for every row.
    TableTally& of(const Relation& relation) { return of(relation.schema, relation.table); }
    TableTally& of(const std::string& schema, const std::string& table);
    void for_each(
        const std::function<void(const std::string& schema, const std::string& table, const TableTally&)>& use) const;

   private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<TableTally>> tables_;
};

}  // namespace pgsluice
