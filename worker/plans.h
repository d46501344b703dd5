// The rules, compiled once for each relation version a worker meets.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>

#include "rules/ruleset.h"
#include "stream/log.h"

namespace pgsluice {

class Plans {
   public:
    Plans(const Ruleset& ruleset, const Log& log) : ruleset_(ruleset), log_(log) {}

    // The plan for one of `relations` (those of the block the pointer came from); null when the table is routed away.
    // Compiled before any row of the relation is handed on; a rule that does not fit throws. Lives as long as this
    // object, and so does the relation, whose address is therefore never used again.
    const TablePlan* find(const Relation* relation, std::span<const RelationPtr> relations);
    const TablePlan* find(const RelationPtr& relation) { return find(relation.get(), {&relation, 1}); }

   private:
    struct Entry {
        RelationPtr relation;
        std::shared_ptr<const TablePlan> plan;
    };
    const Entry& compile(const Relation* relation, std::span<const RelationPtr> relations);

    const Ruleset& ruleset_;
    const Log& log_;
    std::unordered_map<const Relation*, Entry> entries_;
    const Relation* last_ = nullptr;  // changes of one table come in runs
    const TablePlan* last_plan_ = nullptr;
};

}  // namespace pgsluice
