// What a rules file says of one column, and the entry that a table goes by.
#pragma once

#include <string>
#include <vector>

#include "rules/keys/reference_graph.h"
#include "rules/rule.h"

namespace pgsluice::rules {

struct ColumnRules {
    std::vector<const Rule*> transforms{};
    const Rule* excluded = nullptr;
    const Rule* keep = nullptr;
    bool allows_mismatch = false;

    // `entry` may be null, and outlives this.
    ColumnRules(const TableRules* entry, const std::string& column);

    [[nodiscard]] bool hides() const { return excluded != nullptr || !transforms.empty(); }
    // Whether a foreign key of the column need not hold: it is left out, or NULL, or allow_key_mismatch says so.
    [[nodiscard]] bool goes_own_way() const;
    // Whether a value stays as it is or becomes NULL, which a foreign key lets pass.
    [[nodiscard]] bool keeps_or_nulls() const;
    // Of one that hides.
    [[nodiscard]] const Place& place() const { return excluded != nullptr ? excluded->place : transforms[0]->place; }
    [[nodiscard]] std::string text() const;
};

bool same_transforms(const std::vector<const Rule*>& a, const std::vector<const Rule*>& b);

// Null when there is none.
const TableRules* entry_of(const RulesFile& file, const ReferenceGraph& graph, const QualifiedName& table);
// A copy of what it goes by so far, under its whole name, which wins over any other. `place`: of the rule that it is
// for, where there was no entry.
TableRules& entry_of_its_own(RulesFile& file, const ReferenceGraph& graph, const QualifiedName& table,
                             const Place& place);
// The rule of `from`, a column that is referred to, for the entry's column that refers to it.
void add_inherited(TableRules& entry, const std::string& column, const Rule& rule, const std::string& from);

}  // namespace pgsluice::rules
