#include "sinks/postgres/schema/defined_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sinks/postgres/schema/type_uses.h"
#include "stream/definition/find_part.h"

namespace pgsluice {

namespace {

using Tables = std::map<Oid, TableDefinition*>;

Tables tables_of(DefinitionMessage& message) {
    Tables tables;
    for (DefinitionChange& change : message.objects)
        if (auto* table = std::get_if<TableDefinition>(&*change.after)) tables[change.oid] = table;
    return tables;
}

// A column that a rule leaves out is there without values, as long as its table keeps its name: views and programs may
// name it.
void keep_empty(TableDefinition& table, const TableDefinition& source) {
    if (table.schema != source.schema || table.name != source.name) return;
    for (const ColumnDefinition& left_out : source.columns) {
        if (find_part(table.columns, &ColumnDefinition::number, left_out.number) != nullptr ||
            find_part(table.columns, &ColumnDefinition::name, left_out.name) != nullptr)
            continue;
        ColumnDefinition column = left_out;
        column.not_null = false;
        column.expression.clear();
        column.identity = column.generated = '\0';
        column.identity_options.clear();
        column.comment.clear();
        const auto place = std::find_if(table.columns.begin(), table.columns.end(),
                                        [&](const auto& other) { return other.number > column.number; });
        table.columns.insert(place, std::move(column));
    }
}

// Tables of which only columns that are listed come: a column of a name that no rule can have does not.
std::set<Oid> tables_with_lists(const DefinitionMessage& source, const RuleDefinitions& rules) {
    const std::string nameless(64, '*');  // longer than PostgreSQL's names
    DefinitionMessage message;
    for (const DefinitionChange& change : source.objects) {
        const auto* table = std::get_if<TableDefinition>(&*change.after);
        if (table == nullptr) continue;
        TableDefinition asked = *table;
        asked.columns.emplace_back().name = nameless;
        message.objects.push_back({change.oid, std::nullopt, std::move(asked)});
    }
    std::set<Oid> found;
    if (!rules || !rules(message)) return found;
    for (const auto& [oid, table] : tables_of(message))
        if (find_part(table->columns, &ColumnDefinition::name, nameless) == nullptr) found.insert(oid);
    return found;
}

// A partition that is routed elsewhere is a table of its own there: rows of others may come to it, too.
void detach(TableDefinition& table, const TableDefinition& source) {
    if (table.bound.empty() || (table.schema == source.schema && table.name == source.name)) return;
    table.bound.clear();
    table.parents.clear();
    table.ancestors.clear();
    for (ColumnDefinition& column : table.columns) column.inherited = false;
    for (ConstraintDefinition& constraint : table.constraints) constraint.inherited = false;
}

// Where the rules see tables as those of a command on what is there, they stand against one that others fill as well.
std::map<Oid, std::string> obstacles_of_known(const DefinitionMessage& source, const RuleDefinitions& rules) {
    DefinitionMessage message;
    for (const DefinitionChange& change : source.objects)
        if (std::holds_alternative<TableDefinition>(*change.after))
            message.objects.push_back({change.oid, change.after, change.after});
    std::map<Oid, std::string> found;
    if (!rules(message)) return found;
    for (const DefinitionChange& change : message.objects)
        if (!change.obstacle.empty()) found[change.oid] = change.obstacle;
    return found;
}

// And as new ones, so that they stand against what is computed from hidden columns.
void apply_rules(const DefinitionMessage& source, DefinitionMessage& message, const RuleDefinitions& rules) {
    const auto obstacles = obstacles_of_known(source, rules);
    note_uses(message);
    if (!rules(message)) message.objects.clear();
    for (DefinitionChange& change : message.objects) {
        const auto found = obstacles.find(change.oid);
        if (found != obstacles.end() && change.obstacle.empty()) change.obstacle = found->second;
    }
}

DefinitionMessage ruled(const DefinitionMessage& source, const RuleDefinitions& rules) {
    DefinitionMessage message = source;
    if (rules) apply_rules(source, message, rules);
    DefinitionMessage original = source;
    const Tables originals = tables_of(original);
    const std::set<Oid> listed = tables_with_lists(source, rules);
    for (const auto& [oid, table] : tables_of(message)) {
        if (!listed.contains(oid)) keep_empty(*table, *originals.at(oid));
        detach(*table, *originals.at(oid));
    }
    return message;
}

std::vector<Oid> tables_above(const TableDefinition& table) {
    std::vector<Oid> above;
    for (const ObjectName& parent : table.parents) above.push_back(parent.oid);
    for (const ObjectName& ancestor : table.ancestors) above.push_back(ancestor.oid);
    return above;
}

bool holds_columns(const TableDefinition& table, const Relation& relation) {
    return std::all_of(relation.columns.begin(), relation.columns.end(), [&](const Column& column) {
        return find_part(table.columns, &ColumnDefinition::name, column.name) != nullptr;
    });
}

class TableChoice {
   public:
    TableChoice(const DefinitionMessage& source, const std::vector<const Relation*>& relations,
                const std::set<Oid>& rowless, const RuleDefinitions& rules)
        : relations_(relations), rowless_(rowless) {
        for (const DefinitionChange& change : source.objects) known_.insert(change.oid);
        chosen_.objects = ruled(source, rules);
        tables_ = tables_of(chosen_.objects);
        find_incomplete(source);
        for (const DefinitionChange& change : chosen_.objects.objects)
            if (!change.obstacle.empty()) refused_[change.oid] = change.obstacle;
    }

    DefinedTables choose() {
        for (const Relation* relation : relations_) ++fillers_[{relation->schema, relation->table}];
        for (const Relation* relation : relations_) take(*relation);
        for (const Oid oid : rowless_) take_rowless(oid);
        find_wanted();
        leave_out_unwanted();
        tables_ = tables_of(chosen_.objects);
        for (const auto& [oid, relation] : defined_) find_empty(oid, *relation);
        leave_out_refused_triggers();
        return std::move(chosen_);
    }

   private:
    // Partitioned tables of which a partition is a table of its own on the target: where all rows come under their
    // name, those of such a partition would find none.
    void find_incomplete(DefinitionMessage source) {
        for (const auto& [oid, table] : tables_of(source)) {
            const auto found = tables_.find(oid);
            if (table->bound.empty() || (found != tables_.end() && !found->second->bound.empty())) continue;
            for (const Oid above : tables_above(*table)) incomplete_.insert(above);
        }
    }

    void take(const Relation& relation) {
        const bool known = known_.contains(relation.oid);
        const bool shared = fillers_.at({relation.schema, relation.table}) > 1;
        const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const auto& table) {
            return (!known || table.first == relation.oid) && table.second->schema == relation.schema &&
                   table.second->name == relation.table;
        });
        if (found == tables_.end() || shared || refused_.contains(found->first) || incomplete_.contains(found->first) ||
            (!known && !holds_columns(*found->second, relation))) {
            (known ? chosen_.as_they_come : chosen_.gone).push_back(&relation);
            return;
        }
        defined_[found->first] = &relation;
        chosen_.defined.push_back(&relation);
    }

    // One that is routed to a table that others fill is that one there.
    void take_rowless(Oid oid) {
        const auto found = tables_.find(oid);
        if (found == tables_.end() || fillers_.contains({found->second->schema, found->second->name})) return;
        if (const auto refused = refused_.find(oid); refused != refused_.end())
            chosen_.not_made.push_back(fmt::format("partitioned table '{}.{}': {}", found->second->schema,
                                                   found->second->name, refused->second));
        else
            wanted_.insert(oid);
    }

    // Those that are made, their partitions, and all above them.
    void find_wanted() {
        for (const auto& [oid, relation] : defined_) wanted_.insert(oid);
        const std::set<Oid> made = wanted_;
        for (const auto& [oid, table] : tables_) {
            const auto above = tables_above(*table);
            if (std::any_of(above.begin(), above.end(), [&](Oid upper) { return made.contains(upper); }))
                wanted_.insert(oid);
        }
        std::vector<Oid> next(wanted_.begin(), wanted_.end());
        while (!next.empty()) {
            const auto found = tables_.find(next.back());
            next.pop_back();
            if (found == tables_.end()) continue;
            for (const Oid upper : tables_above(*found->second))
                if (wanted_.insert(upper).second) next.push_back(upper);
        }
    }

    // With what is on them.
    void leave_out_unwanted() {
        const auto on = [&](Oid table) { return !wanted_.contains(table); };
        std::erase_if(chosen_.objects.objects, [&](const DefinitionChange& change) {
            if (const auto* index = std::get_if<IndexDefinition>(&*change.after)) return on(index->table.oid);
            if (const auto* statistics = std::get_if<StatisticsDefinition>(&*change.after))
                return on(statistics->table.oid);
            if (const auto* trigger = std::get_if<TriggerDefinition>(&*change.after)) return on(trigger->table.oid);
            if (const auto* sequence = std::get_if<SequenceDefinition>(&*change.after))
                return sequence->owned_by && on(sequence->owned_by->oid);
            return std::holds_alternative<TableDefinition>(*change.after) && on(change.oid);
        });
    }

    // Partitions and those above them have the same columns, and a partition cannot allow NULL where its parents do
    // not.
    void find_empty(Oid oid, const Relation& relation) {
        const TableDefinition& table = *tables_.at(oid);
        const auto is_related = [&](Oid other, const TableDefinition& definition) {
            const auto above = [](const TableDefinition& lower, Oid upper) {
                return find_part(lower.parents, &ObjectName::oid, upper) != nullptr ||
                       find_part(lower.ancestors, &ObjectName::oid, upper) != nullptr;
            };
            return other == oid || above(table, other) || above(definition, oid);
        };
        for (const ColumnDefinition& column : table.columns) {
            if (find_part(relation.columns, &Column::name, column.name) != nullptr || column.identity != '\0' ||
                column.generated != '\0')
                continue;
            for (const auto& [other, definition] : tables_)
                if (is_related(other, *definition))
                    chosen_.empty[{definition->schema, definition->name}].insert(column.name);
        }
    }

    void leave_out_refused_triggers() {
        std::erase_if(chosen_.objects.objects, [&](const DefinitionChange& change) {
            const auto* trigger = std::get_if<TriggerDefinition>(&*change.after);
            if (trigger == nullptr || change.obstacle.empty()) return false;
            chosen_.not_made.push_back(fmt::format("trigger '{}' on '{}.{}': {}", trigger->name, trigger->table.schema,
                                                   trigger->table.name, change.obstacle));
            return true;
        });
    }

    const std::vector<const Relation*>& relations_;
    const std::set<Oid>& rowless_;
    DefinedTables chosen_;
    Tables tables_;
    std::set<Oid> known_;
    std::map<Oid, std::string> refused_;  // why
    std::set<Oid> incomplete_;            // without one of their partitions
    std::map<Oid, const Relation*> defined_;
    std::set<Oid> wanted_;
    std::map<TableName, int> fillers_;  // how many tables' rows come to one
};

}  // namespace

DefinedTables define_tables(const DefinitionMessage& source, const std::vector<const Relation*>& tables,
                            const std::set<Oid>& rowless, const RuleDefinitions& rules) {
    return TableChoice(source, tables, rowless, rules).choose();
}

}  // namespace pgsluice
