#include "sinks/postgres/schema/definition_entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sinks/ddl/derive.h"
#include "sinks/ddl/not_null_ddl.h"
#include "sinks/ddl/table_text.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

bool is_index_constraint(const ConstraintDefinition& constraint) {
    return constraint.type == 'p' || constraint.type == 'u' || constraint.type == 'x';
}

TableDefinition* table_of(DefinitionChange& change) {
    return change.after ? std::get_if<TableDefinition>(&*change.after) : nullptr;
}

// As all of ours: it belongs to whoever makes it, and policies are not copied, without which row security would hide
// all rows.
void leave_out_rights(Definition& definition) {
    std::visit(
        [](auto& object) {
            if constexpr (requires { object.owner; }) object.owner.clear();
            if constexpr (requires { object.row_security; }) object.row_security = object.force_row_security = false;
        },
        definition);
}

void let_be_empty(TableDefinition& table, const EmptyColumns& empty) {
    const auto found = empty.find({table.schema, table.name});
    if (found == empty.end()) return;
    for (ColumnDefinition& column : table.columns) {
        if (!found->second.contains(column.name)) continue;
        column.not_null = false;
        column.expression.clear();
    }
}

void drop_identity_index(TableDefinition& table) {
    if (table.replica_identity != ReplicaIdentity::index) return;
    table.replica_identity = ReplicaIdentity::default_key;
    table.identity_index.clear();
}

// Rows from before may violate it.
bool is_unchecked(const ConstraintDefinition& constraint) {
    return constraint.type != 'f' && (is_added(constraint) || (constraint.type == 'n' && !constraint.validated));
}

void drop_unchecked(TableDefinition& table) {
    for (ColumnDefinition& column : table.columns)
        if (const auto* constraint = not_null_constraint(table, column);
            constraint != nullptr && is_unchecked(*constraint))
            column.not_null = false;
    std::erase_if(table.constraints, is_unchecked);
}

// Without what is made after the load.
void strip(TableDefinition& table) {
    std::erase_if(table.constraints, [](const auto& c) { return is_index_constraint(c) || c.type == 'f'; });
    drop_unchecked(table);
    drop_identity_index(table);
}

bool is_made_before(const DefinitionChange& change) {
    const auto name = class_of(change);
    return name != "index" && name != "statistics" && name != "trigger";
}

// The object's name of "table 'public.t'".
std::string name_in(const std::string& object) {
    const auto from = object.find('\'');
    return from == std::string::npos ? object : object.substr(from + 1, object.size() - from - 2);
}

std::string_view type_of(const DerivedStatement& statement) {
    switch (statement.kind) {
        case DdlKind::create_schema:
            return "SCHEMA";
        case DdlKind::create_extension:
            return "EXTENSION";
        case DdlKind::create_type:
            return "TYPE";
        case DdlKind::create_sequence:
            return "SEQUENCE";
        case DdlKind::create_table:
            return "TABLE";
        case DdlKind::partition:
            return "TABLE ATTACH";
        case DdlKind::constraint:
            return "CONSTRAINT";
        case DdlKind::index:
            return statement.creates ? "INDEX" : "INDEX ATTACH";
        case DdlKind::statistics:
            return "STATISTICS";
        default:
            return "SETTING";
    }
}

SchemaEntry entry_of(const DerivedStatement& statement) {
    SchemaEntry entry{name_in(statement.object), std::string(type_of(statement)), "-", statement.text};
    entry.table = statement.table;
    entry.condition = statement.condition;
    return entry;
}

// What each object's later statements say goes with the one that makes it.
std::vector<SchemaEntry> one_for_each(const std::vector<DerivedStatement>& statements) {
    std::vector<SchemaEntry> entries;
    std::map<std::string, std::size_t> made;
    for (const DerivedStatement& statement : statements) {
        const bool apart = statement.kind == DdlKind::partition || statement.kind == DdlKind::alter_sequence;
        const auto found = made.find(statement.object);
        if (found != made.end() && !apart) {
            entries[found->second].text += "; " + statement.text;
            continue;
        }
        if (statement.creates) made.emplace(statement.object, entries.size());
        entries.push_back(entry_of(statement));
    }
    return entries;
}

// Tables whose constraints become those that `wanted` says, from those that `had` says.
template <typename Had, typename Wanted>
std::vector<DerivedStatement> added_constraints(const DefinitionMessage& schema, Had had, Wanted wanted) {
    DefinitionMessage message;
    for (const DefinitionChange& change : schema.objects) {
        const auto* table = change.after ? std::get_if<TableDefinition>(&*change.after) : nullptr;
        if (table == nullptr) continue;
        TableDefinition before = *table;
        TableDefinition after = *table;
        had(before);
        wanted(after);
        if (before == after) continue;
        message.objects.push_back({change.oid, std::move(before), std::move(after)});
    }
    return derive(message);
}

// Those of partitions have names of their own; the one above takes them over where they are there.
void make_own(TableDefinition& table) {
    // An exclusion constraint is not taken over, but made again.
    std::erase_if(table.constraints,
                  [](const auto& constraint) { return constraint.type == 'x' && constraint.inherited; });
    for (ConstraintDefinition& constraint : table.constraints)
        if (is_index_constraint(constraint)) constraint.inherited = false;
}

void drop_last(TableDefinition& table) {
    std::erase_if(table.constraints, [](const auto& constraint) { return constraint.type == 'f'; });
    drop_unchecked(table);
    drop_identity_index(table);
}

void drop_comments(TableDefinition& table) {
    for (ConstraintDefinition& constraint : table.constraints)
        if (is_index_constraint(constraint)) constraint.comment.clear();
}

std::map<TableName, std::size_t> partitioned_tables(const DefinitionMessage& schema) {
    std::map<TableName, std::size_t> found;  // how many are above it
    for (const DefinitionChange& change : schema.objects)
        if (const auto* table = change.after ? std::get_if<TableDefinition>(&*change.after) : nullptr;
            table != nullptr && table->kind == 'p')
            found[{table->schema, table->name}] = table->ancestors.size();
    return found;
}

void add_constraints(const DefinitionMessage& schema, EntriesAfterLoad& entries) {
    const auto above = partitioned_tables(schema);
    const auto depth = [&](const SchemaEntry& entry) { return above.at({entry.table->schema, entry.table->table}); };
    std::map<TableName, std::vector<SchemaEntry>> by_table;
    const auto statements = added_constraints(
        schema, [](TableDefinition& table) { strip(table), drop_comments(table); },
        [](TableDefinition& table) { make_own(table), drop_last(table), drop_comments(table); });
    for (const DerivedStatement& statement : statements) {
        SchemaEntry entry = entry_of(statement);
        const TableName name(statement.table->schema, statement.table->table);
        if (above.contains(name))
            entries.constraints_above.push_back(std::move(entry));
        else
            by_table[name].push_back(std::move(entry));
    }
    for (auto& [name, of_table] : by_table) entries.constraints.push_back(std::move(of_table));
    std::stable_sort(entries.constraints_above.begin(), entries.constraints_above.end(),
                     [&](const SchemaEntry& a, const SchemaEntry& b) { return depth(a) > depth(b); });
}

void add_indexes(const DefinitionMessage& schema, EntriesAfterLoad& entries) {
    DefinitionMessage message;
    for (const DefinitionChange& change : schema.objects)
        if (!is_made_before(change) && class_of(change) != "trigger") message.objects.push_back(change);
    for (const DerivedStatement& statement : derive(message)) {
        SchemaEntry entry = entry_of(statement);
        (entry.type == "INDEX" ? entries.indexes : entries.last).push_back(std::move(entry));
    }
}

// And what is not checked.
void add_foreign_keys(const DefinitionMessage& schema, EntriesAfterLoad& entries) {
    const auto statements = added_constraints(
        schema, [](TableDefinition& table) { drop_last(table), drop_comments(table); }, [](TableDefinition&) {});
    for (const DerivedStatement& statement : statements) {
        SchemaEntry entry = entry_of(statement);
        if (!statement.foreign_key.empty()) entry.type = "FK CONSTRAINT";
        entries.last.push_back(std::move(entry));
    }
}

void add_triggers(const DefinitionMessage& schema, EntriesAfterLoad& entries) {
    DefinitionMessage message;
    for (const DefinitionChange& change : schema.objects)
        if (class_of(change) == "trigger") message.objects.push_back(change);
    for (SchemaEntry& entry : one_for_each(derive(message))) {
        entry.type = "TRIGGER";
        entries.last.push_back(std::move(entry));
    }
}

// A routing file may name schemas that the source does not have.
std::vector<SchemaEntry> schemas_of_tables(const DefinitionMessage& message) {
    std::set<std::string> schemas;
    for (const DefinitionChange& change : message.objects)
        if (const auto* table = std::get_if<TableDefinition>(&*change.after)) schemas.insert(table->schema);
    for (const DefinitionChange& change : message.objects)
        if (const auto* schema = std::get_if<SchemaDefinition>(&*change.after)) schemas.erase(schema->name);
    std::vector<SchemaEntry> entries;
    for (const std::string& schema : schemas) {
        const std::string name = sql::quote_identifier(schema);
        entries.push_back({schema, "SCHEMA", "-", "CREATE SCHEMA " + name});
        entries.back().condition = fmt::format("pg_catalog.to_regnamespace({}) IS NULL", sql::quote_literal(name));
    }
    return entries;
}

}  // namespace

std::vector<SchemaEntry> entries_before_load(const DefinitionMessage& schema, const EmptyColumns& empty) {
    DefinitionMessage message;
    for (const DefinitionChange& change : schema.objects) {
        if (!is_made_before(change)) continue;
        DefinitionChange made = change;
        leave_out_rights(*made.after);
        if (TableDefinition* table = table_of(made)) {
            strip(*table);
            let_be_empty(*table, empty);
        }
        message.objects.push_back(std::move(made));
    }
    auto entries = schemas_of_tables(message);
    for (SchemaEntry& entry : one_for_each(derive(message))) entries.push_back(std::move(entry));
    return entries;
}

EntriesAfterLoad entries_after_load(const DefinitionMessage& schema) {
    EntriesAfterLoad entries;
    add_constraints(schema, entries);
    add_indexes(schema, entries);
    add_foreign_keys(schema, entries);
    add_triggers(schema, entries);
    return entries;
}

}  // namespace pgsluice
