// The rules, compiled once for each relation version a worker meets.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>

#include "rules/delivered.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"
#include "stream/per_relation.h"

namespace pgsluice {

class Plans {
   public:
    Plans(Ruleset& ruleset, Delivered& delivered, const Log& log)
        : ruleset_(ruleset), delivered_(delivered), log_(log) {}

    // The plan for one of `relations` (those of the block the pointer came from); null when the table is routed away.
    // Compiled and accepted before any row of the relation is handed on, of which the one at `position` is the first; a
    // rule that does not fit throws. Lives as long as this object, and so does the relation.
    const CompiledRules* find(const Relation* relation, std::span<const RelationPtr> relations, Position position);
    const CompiledRules* find(const RelationPtr& relation, Position position) {
        return find(relation.get(), {&relation, 1}, position);
    }

    // Ruleset::others_in().
    [[nodiscard]] std::set<std::string> others_in(const Relation& target, std::span<const RelationPtr> tables) const {
        return ruleset_.others_in(target, tables);
    }

   private:
    struct Entry {
        RelationPtr relation;
        std::shared_ptr<const CompiledRules> compiled;
        const Relation** current = nullptr;  // the table's in `current_`
    };
    Entry& accept(const Relation* relation, std::span<const RelationPtr> relations, Position position);
    Entry& enter(const RelationPtr& relation, std::shared_ptr<const CompiledRules> compiled);

    Ruleset& ruleset_;
    Delivered& delivered_;
    const Log& log_;
    PerRelation<Entry> entries_;
    std::unordered_map<Oid, const Relation*> current_;  // each table's definition that rows came with last
};

}  // namespace pgsluice
