#include "sinks/postgres/plans.h"

namespace pgsluice {

const std::shared_ptr<PostgresPlan>& PostgresPlans::at(const Relation& relation) {
    if (&relation == last_) return *last_plan_;
    auto& plan = plans_[&relation];
    const bool known = plan != nullptr && (checked_.contains(&relation) || plan->relation == relation);
    if (!known) {
        plan = nullptr;
        plan =
            std::make_shared<PostgresPlan>(relation, load_target_table(connection_, relation.schema, relation.table));
    }
    checked_.insert(&relation);
    last_ = &relation;
    last_plan_ = &plan;
    return plan;
}

}  // namespace pgsluice
