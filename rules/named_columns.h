// Which columns a file's rules name, and which pass because none does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/personal/kind.h"
#include "rules/rule.h"

namespace pgsluice::rules {

// Whether a transform, exclude_column or keep names the column for all of the operations that it is part of; a filter
// names nothing, it lets the value pass, and a transform with `when` does not for all rows. `needed`: those that reach
// the target.
bool is_named(const TableRules& rules, const Column& column, Operations needed);
// Whether a transform names it for some rows.
bool is_conditional(const TableRules& rules, const Column& column);

// Whether the file hides anything: then what passes beside it should do so by intention.
bool hides_something(const RulesFile& file);

// Whether it keeps a sample of some table's rows.
bool samples_rows(const RulesFile& file);

struct UnnamedColumn {
    std::string table;  // "public.users"
    std::string name;
    std::string type;
    bool strict = false;                           // a worker stops at it
    bool conditional = false;                      // a transform names it, for some rows
    PersonalKind looks_like = PersonalKind::none;  // by its name and type
};

// None of a table that is not replicated.
std::vector<UnnamedColumn> unnamed_columns(const RulesFile& file, const std::vector<Route>& routes,
                                           const Relation& relation);
// For a person: those of a table in which anything is hidden, and which look personal. Empty when there is none.
std::string warning_of_unnamed(const RulesFile& file, const TableRules* rules, const Relation& relation,
                               Operations needed);

}  // namespace pgsluice::rules
