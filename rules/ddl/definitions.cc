#include "rules/ddl/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "rules/ddl/code_rules.h"
#include "rules/ddl/columns_in_use.h"
#include "rules/ddl/computed_definitions.h"
#include "rules/ddl/expression.h"
#include "rules/ddl/kept_definitions.h"
#include "rules/ddl/sql_text.h"
#include "rules/ddl/table_says.h"
#include "rules/ddl/type_rules.h"
#include "rules/listed_columns.h"
#include "rules/redefined.h"
#include "rules/transforms/transform.h"
#include "rules/values/value_type.h"
#include "sql/quote.h"
#include "stream/base/arena.h"
#include "stream/definition/find_part.h"

namespace pgsluice::rules {
namespace {

class DefinitionRules {
   public:
    DefinitionRules(const RulesFile& file, const std::vector<Route>& routes, const Fitted& fitted,
                    DefinitionMessage& message)
        : files_(file, routes, fitted), message_(message) {}

    bool apply() {
        if (files_.nothing()) return true;
        note_tables();
        std::erase_if(message_.objects, [this](DefinitionChange& change) { return !keep(change); });
        return !message_.objects.empty();
    }

   private:
    // Tables by the names that the message's other objects use.
    void note_tables() {
        for (const DefinitionChange& change : message_.objects) {
            for (const auto* side : {&change.before, &change.after}) {
                if (!*side || !std::holds_alternative<TableDefinition>(**side)) continue;
                const auto& table = std::get<TableDefinition>(**side);
                tables_[{table.schema, table.name}] = relation_of(change.oid, table);
                in_use_.note(change, table);
            }
        }
    }

    // Of a table that another object is on: its definition may not be in the message.
    TableSays says_of(const ObjectName& table, const std::vector<ObjectName>& ancestors = {}) const {
        const auto found = tables_.find({table.schema, table.name});
        return found != tables_.end() ? files_.of(found->second) : files_.of(table, ancestors);
    }
    void route_name(ObjectName& table) const { route(says_of(table), table.schema, table.name); }

    bool keep(DefinitionChange& change) {
        was_ = change.before;
        kept_as_.reset();
        change.own_rows.clear();
        change.keeps_rows = change.unseen = false;
        const bool changed = change.before != change.after;
        if (!keep_sides(change)) return false;
        if (kept_as_) guard_kept_rows(change, kept_as_->first, kept_as_->second);
        // What has changed may not show. What has not is there because others need it.
        if (!changed || change.before != change.after) {
            change.unseen = false;
            return true;
        }
        if (change.unseen) return true;
        const bool computes = !change.obstacle.empty() && (is_code(change) || differs_in_computing(*change.before));
        return computes || change.rewritten != 0 || change.recopy;
    }
    // Only literals are others in what a generated column is computed from, and these do not show: a target must stop
    // at it nevertheless.
    static bool differs_in_computing(Definition& before) {
        auto* table = std::get_if<TableDefinition>(&before);
        if (table == nullptr) return false;
        bool any = false;
        for (ColumnDefinition& column : table->columns) {
            if (column.generated == '\0') continue;
            column.expression.clear();
            any = true;
        }
        return any;
    }
    bool keep_sides(DefinitionChange& change) {
        if (class_of(change) == "type") return keep_type(files_, change);
        if (is_code(change)) return keep_code(files_, change);
        if (change.before && !keep(change, *change.before, false)) return false;
        return !change.after || keep(change, *change.after, true);
    }

    bool keep(DefinitionChange& change, Definition& definition, bool after) {
        if (auto* table = std::get_if<TableDefinition>(&definition)) return keep_table(change, *table, after);
        if (auto* index = std::get_if<IndexDefinition>(&definition)) return keep_index(change, *index);
        if (auto* statistics = std::get_if<StatisticsDefinition>(&definition)) return keep_statistics(*statistics);
        if (auto* sequence = std::get_if<SequenceDefinition>(&definition)) return keep_sequence(*sequence);
        return true;
    }

    // ---- tables

    bool keep_table(DefinitionChange& change, TableDefinition& table, bool after) {
        const Relation relation = relation_of(change.oid, table);
        const TableSays says = files_.of(relation);
        if (after && change.before) check_names(relation, says);
        if (after && source_before() != nullptr) check_computed(*source_before(), table, says);
        if (!after) before_ = {relation, says};
        if (is_left_out(says, table.schema, table.name)) return false;
        const std::string again =
            after && source_before() ? in_use_.judged_again(change.oid, says, *source_before(), table) : "";
        const std::vector<ColumnDefinition> computed = computed_of(change, relation, says, after);
        replace_computed(table, computed);
        if (const auto why = obstacle(change, table, says, after); !why.empty() && change.obstacle.empty())
            change.obstacle = why;
        if (change.obstacle.empty() && !again.empty()) {
            change.obstacle = again;
            change.unseen = !has_parent_here(table);
        }
        leave_out_constraints(table, says);
        for (ColumnDefinition& column : table.columns) hide(change, column, says, after);
        for (std::string* text : {&table.partition_by, &table.bound_by})
            if (says.is_about_hidden(*text)) *text = without_literals(*text);
        if (is_bound_by_hidden(table, says)) table.bound = without_literals(table.bound);
        std::erase_if(table.columns, [&](const auto& column) { return says.excludes(column.name); });
        append_computed(table, computed);
        if (says.hides()) table.comment.clear();
        const std::optional<Keeping> keeping =
            is_kept_otherwise(says.route) ? std::optional(says.route->keeping(relation)) : std::nullopt;
        rename(table, says);
        if (keeping) keep_table_as(table, *says.route, *keeping);
        if (keeping && (after || !change.after)) kept_as_.emplace(*says.route, *keeping);
        return true;
    }

    // One in the message, which waits for all of its partitions.
    [[nodiscard]] bool has_parent_here(const TableDefinition& table) const {
        return std::ranges::any_of(table.parents, [this](const ObjectName& parent) {
            return tables_.contains({parent.schema, parent.name});
        });
    }
    [[nodiscard]] const TableDefinition* source_before() const {
        return was_ ? &std::get<TableDefinition>(*was_) : nullptr;
    }

    // The expressions are written for the table as it is now: before, it may have had other names.
    static std::vector<ColumnDefinition> computed_of(const DefinitionChange& change, const Relation& relation,
                                                     const TableSays& says, bool after) {
        try {
            return computed_columns(says.route, relation);
        } catch (const Error&) {
            if (after) throw;
        }
        if (!change.after) return {};
        return computed_columns(says.route, relation_of(change.oid, std::get<TableDefinition>(*change.after)));
    }

    // What had rules has them under its new name, too.
    void check_names(const Relation& now, const TableSays& says) const {
        const auto& [before, said] = before_;
        const auto is_named = [](const TableSays& one) {
            return one.entry != nullptr || (one.route != nullptr && one.route->names_table());
        };
        const bool moved = before.schema != now.schema || before.table != now.table;
        if (is_named(said) && moved && !is_named(says))
            refuse_name(now, said.entry != nullptr ? said.entry->place : said.route->place);
        PastDefinition past{{}, before, {}, {}};
        for (const Column& column : before.columns) past.names[column.number] = column.name;
        for (const Rule& rule : said.rules.rules)
            if (rule.kind != Rule::Kind::keep) past.ruled.push_back(rule.column);
        if (!said.rules.rules.empty()) check_redefined(past, now, with_listed(said.entry, says.route, now), past.ruled);
    }
    // What was computed of a hidden column, and so was never sent, is to come with rows: DROP EXPRESSION.
    static void check_computed(const TableDefinition& was, const TableDefinition& table, const TableSays& says) {
        for (const ColumnDefinition& column : table.columns) {
            const auto* old = find_part(was.columns, &ColumnDefinition::number, column.number);
            const bool computed_before = old != nullptr && old->generated != '\0' && column.generated == '\0';
            if (!computed_before || !says.is_about_hidden(old->expression) || says.names(column.name) || says.strict ||
                says.excludes(column.name))
                continue;
            throw stop_error(
                fmt::format("unable to continue table '{}.{}': its column '{}' was computed from one that has a rule, "
                            "is a column of its own now, and no rule names it",
                            table.schema, table.name, column.name),
                fmt::format("Give '{}' the rule that its values need, or {{type: keep, column: ...}} if they may "
                            "pass, and start again.",
                            column.name));
        }
    }
    [[noreturn]] static void refuse_name(const Relation& now, const Place& old) {
        throw stop_error(
            fmt::format("unable to continue after a DDL command: table '{}' ({}:{}) is now called '{}.{}', which the "
                        "file does not name",
                        old.table, old.file, old.line, now.schema, now.table),
            "Name the table by its new name in the rules and routing files, too, and start again.");
    }

    std::string obstacle(const DefinitionChange& change, const TableDefinition& table, const TableSays& says,
                         bool after) const {
        if (change.before)
            if (const Route* other = other_source(table, says))
                return fmt::format("rows of {} are in the table, too", other->place.table);
        if (!after) return {};
        const TableDefinition* was = source_before();
        if (!says.unnamed.empty())
            return fmt::format("mode is strict, and no rule names the column '{}'", *says.unnamed.begin());
        for (const ColumnDefinition& column : table.columns)
            if (std::string why = computed(column, was, says); !why.empty()) return why;
        if (was == nullptr && says.is_about_hidden(table.partition_by))
            return "it is partitioned by a column that has a rule";
        if (is_bound_by_hidden(table, says) && (was == nullptr || was->bound != table.bound))
            return "it is a partition by values of a column that has a rule";
        return {};
    }
    static bool is_bound_by_hidden(const TableDefinition& table, const TableSays& says) {
        return !table.bound.empty() && says.hides() && (table.bound_by.empty() || says.is_about_hidden(table.bound_by));
    }
    // Of a generated column that is new or computed otherwise than before.
    static std::string computed(const ColumnDefinition& column, const TableDefinition* was, const TableSays& says) {
        if (column.generated == '\0' || says.excludes(column.name)) return {};
        const auto* old = was == nullptr ? nullptr : find_part(was->columns, &ColumnDefinition::number, column.number);
        if (old != nullptr && old->generated == column.generated && old->expression == column.expression) return {};
        if (says.masked.contains(column.name))
            return fmt::format("the column '{}' has a rule, and the target would compute its values", column.name);
        if (!says.is_about_hidden(column.expression)) return {};
        return fmt::format("the column '{}' is computed from one that has a rule", column.name);
    }
    // Rows of a table that is routed into the one that the command drops or changes would go or change, too.
    const Route* other_source(const TableDefinition& table, const TableSays& says) const {
        std::string schema = table.schema;
        std::string name = table.name;
        route(says, schema, name);
        for (const Route& other : files_.routes())
            if (&other != says.route && other.fills(schema, name)) return &other;
        return nullptr;
    }

    static void leave_out_constraints(TableDefinition& table, const TableSays& says) {
        std::erase_if(table.constraints, [&](const ConstraintDefinition& constraint) {
            return constraint.type == 'f' && may_not_hold(constraint.definition, says);
        });
        if (!says.hides()) return;
        std::erase_if(table.constraints, [&](const ConstraintDefinition& constraint) {
            if (says.names_excluded(constraint.definition)) return true;
            if (constraint.type == 'p' || constraint.type == 'u')
                return names_any(constraint.definition, says.ambiguous);
            if (constraint.type == 'f') return false;
            return says.is_about_hidden(constraint.definition);
        });
        for (ConstraintDefinition& constraint : table.constraints) constraint.comment.clear();
    }

    // A foreign key. Both sides have the same rules (rules/keys/inherited_rules.h), unless one says otherwise.
    static bool may_not_hold(const std::string& definition, const TableSays& says) {
        std::set<std::string> loose = says.unnamed;
        loose.insert(says.ambiguous.begin(), says.ambiguous.end());
        for (const Rule& rule : says.rules.rules)
            if (rule.allow_key_mismatch) loose.insert(rule.column);
        return names_any(definition, loose);
    }

    void hide(DefinitionChange& change, ColumnDefinition& column, const TableSays& says, bool after) const {
        const bool hidden = says.masked.contains(column.name) || says.unnamed.contains(column.name);
        if (column.generated == '\0' && hidden) column.expression.clear();
        if (column.generated != '\0' && (hidden || says.is_about_hidden(column.expression)))
            column.expression = without_literals(column.expression);
        if (!hidden) return;
        column.comment.clear();
        const bool added = after && change.before && !has_column(*change.before, column.number);
        if (added && !change.recopy && !says.excludes(column.name) && !says.unnamed.contains(column.name))
            transform(change, column, says);
        else
            column.missing.reset();
    }
    static bool has_column(const Definition& definition, std::int16_t number) {
        const auto& columns = std::get<TableDefinition>(definition).columns;
        return std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return c.number == number; });
    }
    // As it would with each row.
    static void transform(DefinitionChange& change, ColumnDefinition& column, const TableSays& says) {
        const Column relation = column_of(column);
        const ValueType type = value_type(relation);
        Arena arena;
        std::optional<std::string> value = std::exchange(column.missing, std::nullopt);
        for (const Rule& rule : says.rules.rules) {
            if (rule.kind != Rule::Kind::transform || rule.column != column.name) continue;
            if (const std::string why = unfit_for_all_rows(rule, relation, type); !why.empty()) {
                change.obstacle = fmt::format("what is in the new column '{}' cannot go through {}: {}", column.name,
                                              rule.place.text(), why);
                return;
            }
            const auto fitted = rule.transform->for_column(relation, type);
            value = transformed(fitted != nullptr ? *fitted : *rule.transform, value, type, arena);
        }
        column.missing = std::move(value);
    }
    static std::string unfit_for_all_rows(const Rule& rule, const Column& column, ValueType type) {
        const Transform& transform = *rule.transform;
        if (transform.reads_row() || !transform.repeats() || !rule.when.empty())
            return "each row gets a value of its own";
        return transform.unfit(column, type);
    }
    static std::optional<std::string> transformed(const Transform& transform, std::optional<std::string> value,
                                                  ValueType type, Arena& arena) {
        if (value && type == ValueType::padded_text) value->erase(value->find_last_not_of(' ') + 1);
        const Value result = value ? transform.apply(*value, type, arena) : transform.for_null(type);
        return result.is_text() ? std::optional(std::string(result.text())) : std::nullopt;
    }

    void rename(TableDefinition& table, const TableSays& says) const {
        for (ColumnDefinition& column : table.columns) {
            if (const auto name = says.columns.find(column.name); name != says.columns.end())
                column.name = name->second;
            if (column.generated != '\0') column.expression = renamed(column.expression, says.columns);
        }
        std::erase_if(table.constraints, [&](ConstraintDefinition& constraint) {
            constraint.definition = renamed(constraint.definition, says.columns);
            return constraint.type == 'f' && !refer(constraint.definition, says.route);
        });
        table.partition_by = renamed(table.partition_by, says.columns);
        for (ObjectName& parent : table.parents) route_name(parent);
        for (ObjectName& above : table.ancestors) route_name(above);
        route(says, table.schema, table.name);
    }

    // REFERENCES schema.table(columns): under the names of its route. False when it is not replicated, or has no unique
    // index over the columns there.
    bool refer(std::string& definition, const Route* own) const {
        const auto tokens = sql_tokens(definition);
        for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
            if (tokens[i].text != "REFERENCES" || tokens[i + 2].text != ".") continue;
            const ObjectName table{0, identifier_name(tokens[i + 1]), identifier_name(tokens[i + 3])};
            const TableSays says = says_of(table);
            if (is_left_out(says, table.schema, table.name)) return false;
            const std::string_view columns =
                std::string_view(definition)
                    .substr(static_cast<std::size_t>(tokens[i + 3].text.data() - definition.data()));
            if (names_any(columns, says.excluded) || names_any(columns, says.ambiguous)) return false;
            const auto from = static_cast<std::size_t>(tokens[i + 1].text.data() - definition.data());
            const auto to =
                static_cast<std::size_t>(tokens[i + 3].text.data() + tokens[i + 3].text.size() - definition.data());
            ObjectName target = table;
            route(says, target.schema, target.name);
            if (!(target == table))
                definition = definition.substr(0, from) + sql::quote_qualified(target.schema, target.name) +
                             renamed(definition.substr(to), says.columns);
            return keep_reference(definition, own, says.route);
        }
        return true;
    }

    // ---- what is on tables

    bool keep_index(DefinitionChange& change, IndexDefinition& index) const {
        const TableSays says = says_of(index.table, index.ancestors);
        if (is_left_out(says, index.table.schema, index.table.name)) return false;
        const bool plain = index.definition.find(" WHERE ") == std::string::npos &&
                           std::count(index.definition.begin(), index.definition.end(), '(') == 1;
        if (says.names_excluded(index.definition) || names_any(index.definition, says.ambiguous)) return false;
        if (!plain && says.is_about_hidden(index.definition)) return false;
        if (says.hides()) index.comment.clear();
        index.definition = renamed(index.definition, says.columns);
        if (is_kept_otherwise(says.route)) keep_index_as(change, index, *says.route);
        const bool moves = says.route != nullptr && !says.route->target.schema.empty();
        if (moves) index.schema = says.route->target.schema;
        if (moves && index.parent) index.parent->schema = says.route->target.schema;
        route(says, index.table.schema, index.table.name);
        return true;
    }

    bool keep_statistics(StatisticsDefinition& statistics) const {
        const TableSays says = says_of(statistics.table, statistics.ancestors);
        if (is_left_out(says, statistics.table.schema, statistics.table.name)) return false;
        if (says.is_about_hidden(statistics.definition)) return false;
        if (says.hides()) statistics.comment.clear();
        statistics.definition = renamed(statistics.definition, says.columns);
        route(says, statistics.table.schema, statistics.table.name);
        return true;
    }

    // One that is owned by a column must lie in the schema of its table.
    bool keep_sequence(SequenceDefinition& sequence) const {
        if (!sequence.owned_by) return true;
        ObjectName table{0, sequence.owned_by->schema, sequence.owned_by->table};
        const TableSays says = says_of(table);
        if (is_left_out(says, table.schema, table.name)) return false;
        const std::string& column = sequence.owned_by->column;
        const bool hidden = says.hidden().contains(column) || says.excludes(column);
        if (says.hides()) sequence.comment.clear();
        route(says, table.schema, table.name);
        if (hidden || table.schema != sequence.schema) {
            sequence.owned_by.reset();
            return true;
        }
        if (const auto name = says.columns.find(column); name != says.columns.end())
            sequence.owned_by->column = name->second;
        sequence.owned_by->schema = table.schema;
        sequence.owned_by->table = table.name;
        return true;
    }

    FilesSay files_;
    DefinitionMessage& message_;
    std::map<std::pair<std::string, std::string>, Relation> tables_;
    ColumnsInUse in_use_;
    std::pair<Relation, TableSays> before_;                    // of the change at hand
    std::optional<Definition> was_;                            // before it, as the source says it
    std::optional<std::pair<const Route&, Keeping>> kept_as_;  // how its rows are kept, where not as a copy
};

}  // namespace

bool apply_to_definitions(const RulesFile& file, const std::vector<Route>& routes, const Fitted& fitted,
                          DefinitionMessage& message) {
    return DefinitionRules(file, routes, fitted, message).apply();
}

}  // namespace pgsluice::rules
