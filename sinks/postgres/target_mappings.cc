#include "sinks/postgres/target_mappings.h"

#include <utility>

namespace pgsluice {

const std::shared_ptr<TargetMapping>& TargetMappings::at(const Relation& relation) {
    return mappings_.at(relation, [&] {
        TargetTable table = load_target_table(connection_, relation.schema, relation.table);
        missing_.resolve(relation, table);
        return std::make_shared<TargetMapping>(relation, std::move(table));
    });
}

}  // namespace pgsluice
