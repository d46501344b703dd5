// Which tables of a target can be made from the source's definitions, and from which. Pure: no server is asked.
#pragma once

#include <set>
#include <vector>

#include "sinks/definition_rules.h"
#include "sinks/postgres/schema/definition_entries.h"
#include "stream/change.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

struct DefinedTables {
    DefinitionMessage objects;                    // as the target is to have them
    EmptyColumns empty;                           // columns of theirs that do not come
    std::vector<const Relation*> defined{};       // the tables of these
    std::vector<const Relation*> as_they_come{};  // the others: what is known of them is how their rows come
    std::vector<const Relation*> gone{};          // those that the source no longer has
    std::vector<std::string> not_made{};          // "partitioned table 'public.p': why"
};

// `source` as read from the catalog, `tables` as their rows come, after rules and routing. A table whose definition a
// rule stands against, or that is called otherwise by now, is made as its rows come. One that was dropped is made as
// the one that has its name by now, if all its columns are there. `rowless`: tables that are made, though no rows come
// from them.
DefinedTables define_tables(const DefinitionMessage& source, const std::vector<const Relation*>& tables,
                            const std::set<Oid>& rowless, const RuleDefinitions& rules);

}  // namespace pgsluice
