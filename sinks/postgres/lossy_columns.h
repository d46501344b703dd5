// Columns of the target that store what rows bring as something else, without an error: said once each, in the log.
//
// What a stream says of a column of a domain is the domain's name and not what is below it: nothing is said of those.
// pgsluice check compares both catalogs, and says more.
#pragma once

#include <set>
#include <string>

#include "sinks/postgres/target.h"
#include "stream/base/log.h"
#include "stream/change.h"

namespace pgsluice {

class LossyColumns {
   public:
    // `log` must outlive it.
    explicit LossyColumns(const Log& log) : log_(log) {}

    // Rows of `relation` are to be written to `table`.
    void warn(const Relation& relation, const TargetTable& table);

   private:
    void warn(const Column& column, const TargetColumn& own, const TargetTable& table);

    const Log& log_;
    std::set<std::string> said_;
};

}  // namespace pgsluice
