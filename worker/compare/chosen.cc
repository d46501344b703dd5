#include "worker/compare/chosen.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace pgsluice {

namespace {

// A table and what it is on the target.
struct Filler {
    const PublishedTable* table;
    RelationPtr target;
};

// Both add a column, with two values: whose a row is can be seen.
bool are_told_apart(const Relation& a, const Relation& b) {
    for (std::size_t i = 0; i < a.keeping.constants.size(); ++i)
        for (std::size_t j = 0; j < b.keeping.constants.size(); ++j)
            if (a.columns[i].name == b.columns[j].name && a.keeping.constants[i] != b.keeping.constants[j]) return true;
    return false;
}

// Of the tables of one target, those that were chosen to the front, then those that go with them. How many these are.
std::size_t order(std::vector<Filler>& tables) {
    const auto none =
        std::stable_partition(tables.begin(), tables.end(), [](const Filler& one) { return one.table->chosen; });
    auto taken = static_cast<std::size_t>(none - tables.begin());
    for (std::size_t i = 0; i < taken; ++i) {
        const Relation& target = *tables[i].target;
        const auto rest =
            std::stable_partition(tables.begin() + static_cast<std::ptrdiff_t>(taken), tables.end(),
                                  [&target](const Filler& one) { return !are_told_apart(*one.target, target); });
        taken = static_cast<std::size_t>(rest - tables.begin());
    }
    return taken;
}

}  // namespace

std::vector<PublishedTable> chosen_with_others(std::span<const PublishedTable> published, const Ruleset& rules,
                                               const Log& log) {
    std::map<std::pair<std::string, std::string>, std::vector<Filler>> by_target;
    for (const PublishedTable& table : published)
        if (const auto plan = rules.compile(table.relation))
            by_target[{plan->target()->schema, plan->target()->table}].push_back({&table, plan->target()});
    std::vector<PublishedTable> all;
    for (auto& [target, tables] : by_target) {
        const std::size_t taken = order(tables);
        for (const auto& [table, filled] : std::span(tables).first(taken)) {
            all.push_back(*table);
            if (table->chosen) continue;
            log(LogLevel::info,
                fmt::format("'{}.{}' is compared, too: it fills '{}.{}' together with what was chosen",
                            table->relation->schema, table->relation->table, target.first, target.second));
        }
    }
    return all;
}

}  // namespace pgsluice
