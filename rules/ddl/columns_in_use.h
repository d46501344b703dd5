// Columns by whose values a target's rows are what they are: a filter, `where` or `sample` chooses the rows by them,
// an expression or a transform computes others from them.
#pragma once

#include <set>
#include <string>

#include "rules/ddl/table_says.h"
#include "stream/definition/definition_message.h"
#include "stream/definition/table_definition.h"

namespace pgsluice::rules {

class ColumnsInUse {
   public:
    // What a command has done to the table; of all that it has changed, before the first question. Of a partitioned
    // table only its partitions are written and copied again.
    void note(const DefinitionChange& change, const TableDefinition& table);
    // Why a target cannot follow a change of the source's table, whose rows are not copied again: those that are there
    // would have to be chosen or computed again, because such a column has another type, or was dropped and another one
    // has its name. Empty: it can.
    [[nodiscard]] std::string judged_again(Oid table, const TableSays& says, const TableDefinition& was,
                                           const TableDefinition& now) const;

   private:
    std::set<Oid> rewritten_;
    std::set<Oid> recopied_;
};

}  // namespace pgsluice::rules
