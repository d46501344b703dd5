#include "rules/unmatched_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/rule.h"

namespace pgsluice {

std::vector<std::string> unmatched_tables(const std::vector<std::string>& named, const std::vector<Relation>& tables) {
    std::vector<std::string> warnings;
    for (const std::string& name : named) {
        const auto wanted = rules::TableName::parse_pattern(name, {});
        if (std::ranges::none_of(tables, [&](const Relation& table) { return wanted.covers(table); }))
            warnings.push_back(fmt::format(
                "the rules and routing files name table '{}', which is not replicated: is it misspelt?", name));
    }
    return warnings;
}

}  // namespace pgsluice
