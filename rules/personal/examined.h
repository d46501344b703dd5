// What was found in the columns of some tables, where one refers to another by a foreign key, too.
#pragma once

#include <string>
#include <vector>

#include "rules/keys/reference_graph.h"
#include "rules/personal/inspection.h"
#include "stream/change.h"

namespace pgsluice::rules {

struct ExaminedColumn {
    std::vector<Finding> findings;
    std::string goes_by{};    // "public.users.email", to which it refers and whose rules it inherits
    bool other_type = false;  // it refers to a column that is hidden, but cannot inherit
};

struct ExaminedTable {
    RelationPtr relation;
    std::vector<ColumnFacts> facts;
    std::vector<ExaminedColumn> columns;
};

// What is found in one column is personal in those that refer to it, and the other way round.
void share_findings(std::vector<ExaminedTable>& tables, const ReferenceGraph& graph);

}  // namespace pgsluice::rules
