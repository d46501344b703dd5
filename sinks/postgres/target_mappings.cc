#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

const std::shared_ptr<TargetMapping>& TargetMappings::at(const Relation& relation) {
    return mappings_.at(relation, [&] {
        return std::make_shared<TargetMapping>(relation,
                                               load_target_table(connection_, relation.schema, relation.table));
    });
}

}  // namespace pgsluice
