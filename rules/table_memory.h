// What is known of tables' definitions: those whose rows passed under the rules, in order of position, one that was
// refused, and those that the replicator knows. Rules refer to columns by name; this tells what a name meant when.
#pragma once

#include <functional>
#include <map>

#include "rules/rule.h"
#include "stream/group/schema_history.h"

namespace pgsluice::rules {

class TableMemory {
   public:
    // Keeps what is known of a table for later sessions (null: nothing more), before it returns.
    using Keep = std::function<void(Oid table, const TableHistory* seen)>;

    void recall(std::map<Oid, TableHistory> seen, Keep keep);
    // A definition as the replicator has it now, perhaps later than the rows that come.
    void know(const Relation& relation) { known_[relation.oid] = relation; }
    // The rules fit that definition: the definition of the table's first rows is compared with it.
    void expect(const Relation& relation, const TableRules* rules);
    // Rows up to this one will not come again.
    void applied(const Position& upto) { applied_ = upto; }

    // The rules as they hold for this definition: those with `was` under the column's name at that time; without those
    // for columns that only another definition of the table has.
    [[nodiscard]] TableRules fitted(const TableRules& rules, const Relation& relation) const;

    // Rows come with this definition from `position` on. A stop Error when the rules may be meant for other columns.
    // `rules` is null for a table that only has a route.
    void accept(const Relation& relation, const Position& position, const TableRules* rules);
    // The same for a table that the files do not name: it must not be one that they named.
    void accept_unnamed(const Relation& relation, const Position& position);
    // The rules do not fit this definition; later ones are compared with it.
    void refuse(const Relation& relation);

   private:
    [[nodiscard]] const TableHistory* seen(Oid table) const;
    // The newest definition, for which the files are written, if it differs from this one. The replicator's may be
    // older than one that is new here: then it is not sure.
    struct Newest {
        const Relation* relation = nullptr;
        bool sure = true;
    };
    [[nodiscard]] Newest newest(const Relation& relation) const;
    [[nodiscard]] const Relation& numbered(const Relation& relation) const;
    [[nodiscard]] bool is_of_newest(const Rule& rule, const TableRules& rules, const Relation& relation) const;
    [[nodiscard]] std::vector<std::string> columns_of(const Rule& rule, const TableRules& rules,
                                                      const Relation& relation) const;
    // Rows that pass under the rules for a later definition must not show what was hidden of them.
    static void check_still_ruled(const PastDefinition& before, const Relation& relation,
                                  const std::vector<std::string>& ruled);
    // Of a partition of the same table, what came last at or before the position; null when none is known.
    [[nodiscard]] const PastDefinition* sibling(const Relation& relation, const Position& position) const;
    void add(TableHistory& table, PastDefinition met);
    void keep(Oid table) const;

    std::map<Oid, TableHistory> seen_;
    std::map<Oid, Relation> known_;
    Keep keep_;
    Position applied_;
};

}  // namespace pgsluice::rules
