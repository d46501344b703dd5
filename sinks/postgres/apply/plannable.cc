#include "sinks/postgres/apply/plannable.h"

namespace pgsluice {

namespace {

void plan(const Change& change, TargetMappings& mappings) {
    for (const RelationPtr& relation : change.truncated) mappings.at(*relation);
    if (change.truncated.empty() && change.relation != nullptr) mappings.at(*change.relation);
}

}  // namespace

std::optional<Unplannable> first_unplannable(const std::vector<Change>& changes, TargetMappings& mappings) {
    const Relation* planned = nullptr;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (changes[i].truncated.empty() && changes[i].relation == planned) continue;
        try {
            plan(changes[i], mappings);
            planned = changes[i].relation;
        } catch (const Error& error) {
            if (error.action() != Action::stop) throw;
            return Unplannable{i, error};
        }
    }
    return std::nullopt;
}

std::size_t before_transaction(const std::vector<Change>& changes, std::size_t count) {
    const auto commit = changes.at(count).position.commit;
    while (count > 0 && changes[count - 1].position.commit == commit) --count;
    return count;
}

}  // namespace pgsluice
