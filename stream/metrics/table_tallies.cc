#include "stream/metrics/table_tallies.h"

namespace pgsluice {

TableTally& TableTallies::of(const std::string& schema, const std::string& table) {
    const std::lock_guard lock(mutex_);
    const auto known = tables_.find({schema, table});
    if (known != tables_.end()) return *known->second;
    const auto key =
        tables_.size() < max_tables ? std::pair(schema, table) : std::pair(std::string(), std::string(others));
    auto& tally = tables_[key];
    if (!tally) tally = std::make_unique<TableTally>();
    return *tally;
}

void TableTallies::for_each(
    const std::function<void(const std::string& schema, const std::string& table, const TableTally&)>& use) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, tally] : tables_) use(name.first, name.second, *tally);
}

}  // namespace pgsluice
