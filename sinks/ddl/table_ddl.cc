#include "sinks/ddl/table_ddl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "sinks/ddl/column_text.h"
#include "sinks/ddl/constraint_ddl.h"
#include "sinks/ddl/not_null_ddl.h"
#include "sinks/ddl/object_commands.h"
#include "sinks/ddl/option_changes.h"
#include "sinks/ddl/table_text.h"
#include "sql/quote.h"
#include "stream/definition/find_part.h"

namespace pgsluice {

using sql::quote_identifier;
using sql::quote_literal;

struct TableDdl::Altered {
    const DefinitionChange& change;
    const TableDefinition& before;
    const TableDefinition& after;
    bool renames = false;  // columns: then texts of expressions differ without a change of them
};

namespace {

// The text of a user's type differs when only its name does.
bool same_type(const ColumnDefinition& before, const ColumnDefinition& after) {
    const bool same_oid = before.type_oid != 0 && before.type_oid == after.type_oid && before.typmod == after.typmod;
    return before.collation == after.collation && (before.type == after.type || same_oid);
}

DerivedStatement::Destroyed destroyed(const TableDefinition& table) {
    DerivedStatement::Destroyed all{{table.schema, table.name}};
    for (const ColumnDefinition& column : table.columns) all.columns.push_back(column.name);
    return all;
}

bool is_below(const TableDefinition& table, Oid parent) {
    return find_part(table.parents, &ObjectName::oid, parent) != nullptr ||
           find_part(table.ancestors, &ObjectName::oid, parent) != nullptr;
}

}  // namespace

TableDdl::TableDdl(const DefinitionMessage& message, DdlPhases& out) : message_(message), out_(out) {
    for (const DefinitionChange& change : message.objects) {
        if (class_of(change) != "table") continue;
        if (!change.after) dropped_.insert(change.oid);
        if (change.before && change.after) altered_.insert(change.oid);
    }
}

void TableDdl::add(DdlPhase phase, DdlKind kind, const TableDefinition& table, std::string text,
                   std::string kept_text) {
    DerivedStatement statement = on_table(table, kind, std::move(text));
    statement.kept_text = std::move(kept_text);
    out_.add(phase, std::move(statement));
}

void TableDdl::alter_column(DdlPhase phase, const TableDefinition& table, const ColumnDefinition& column,
                            const std::string& what) {
    add(phase, DdlKind::alter_column, table,
        fmt::format("ALTER TABLE {} ALTER COLUMN {} {}", only(table), quote_identifier(column.name), what));
}

bool TableDdl::has_parent_here(const TableDefinition& table) const {
    return std::any_of(table.parents.begin(), table.parents.end(),
                       [&](const ObjectName& parent) { return altered_.contains(parent.oid); });
}

// Whether its rows come again, or those of its partitions: of a partitioned table only these are written again.
bool TableDdl::is_recopied(const DefinitionChange& table) const {
    return table.recopy || std::any_of(message_.objects.begin(), message_.objects.end(), [&](const auto& change) {
               return change.recopy && change.after && class_of(change) == "table" &&
                      is_below(std::get<TableDefinition>(*change.after), table.oid);
           });
}

std::optional<std::string> TableDdl::missing_in_children(Oid parent, const std::string& column) const {
    for (const DefinitionChange& change : message_.objects) {
        if (!change.after || class_of(change) != "table") continue;
        const auto& table = std::get<TableDefinition>(*change.after);
        const ColumnDefinition* found =
            is_below(table, parent) ? find_part(table.columns, &ColumnDefinition::name, column) : nullptr;
        if (found != nullptr && found->missing) return found->missing;
    }
    return std::nullopt;
}

// What a schema is called after the message's commands for schemas.
std::string TableDdl::schema_before(const std::string& schema) const {
    for (const DefinitionChange& change : message_.objects) {
        if (!change.before || !change.after || class_of(change) != "schema") continue;
        if (std::get<SchemaDefinition>(*change.before).name == schema)
            return std::get<SchemaDefinition>(*change.after).name;
    }
    return schema;
}

void TableDdl::derive(const DefinitionChange& change) {
    if (!change.after) return;
    const auto& after = std::get<TableDefinition>(*change.after);
    if (!change.before) return create(after, change.root_void);
    alter({change, std::get<TableDefinition>(*change.before), after});
}

void TableDdl::wait(const DefinitionChange& change) {
    add(DdlPhase::alter_columns, DdlKind::alter_column, std::get<TableDefinition>(*change.after),
        "-- of a column that the target does not have");
}

void TableDdl::drop_tables() {
    std::vector<std::string> names;
    DerivedStatement statement{DdlKind::drop_table};
    statement.drops = true;
    for (const DefinitionChange& change : message_.objects) {
        if (change.after || class_of(change) != "table") continue;
        const auto& table = std::get<TableDefinition>(*change.before);
        names.push_back(quoted(table));
        statement.destroys.push_back(destroyed(table));
        statement.object +=
            fmt::format("{}'{}.{}'", statement.object.empty() ? "table " : ", ", table.schema, table.name);
        if (statement.obstacle.empty()) statement.obstacle = change.obstacle;
    }
    if (names.empty()) return;
    statement.text = fmt::format("DROP TABLE {}{}", names.size() == 1 ? "" : "IF EXISTS ", fmt::join(names, ", "));
    out_.add(DdlPhase::drop_tables, std::move(statement));
}

void TableDdl::create(const TableDefinition& table, bool root_void) {
    DerivedStatement statement{DdlKind::create_table, create_text(table)};
    statement.object = fmt::format("table '{}.{}'", table.schema, table.name);
    statement.creates = true;
    statement.made = QualifiedName{table.schema, table.name};
    statement.absent = fmt::format("pg_catalog.to_regclass({}) IS NULL", quote_literal(quoted(table)));
    if (made_as_partition(table)) {
        statement.table = {table.parents.front().schema, table.parents.front().name};
        if (root_void) statement.voids = {*statement.table};
    }
    out_.add(DdlPhase::create_tables, std::move(statement));
    const bool attached = is_partition(table) && !made_as_partition(table) && !table.parents.empty();
    for (const ConstraintDefinition& constraint : table.constraints)
        if (is_added(constraint) && (!constraint.inherited || (attached && constraint.type != 'f')))
            add_constraint(table, constraint, out_);
    if (attached) attach(table, table.parents.front(), root_void);
    for (const ColumnDefinition& column : table.columns) {
        if (column.inherited && !is_partition(table))
            add_own(table, column);
        else
            derive_not_null(nullptr, {&table, &column}, false, out_);
        if (column.storage != '\0')
            alter_column(DdlPhase::table_settings, table, column, "SET STORAGE " + storage_name(column));
        if (column.compression != '\0')
            alter_column(DdlPhase::table_settings, table, column,
                         "SET COMPRESSION " + compression_name(column.compression));
    }
    settings(nullptr, table);
    comments(nullptr, table);
}

// What a child has of its own on a column that it has from its parent.
void TableDdl::add_own(const TableDefinition& table, const ColumnDefinition& column) {
    if (!column.expression.empty() && column.generated == '\0')
        alter_column(DdlPhase::alter_columns, table, column, "SET DEFAULT " + column.expression);
    add_own_not_null({&table, &column}, out_);
}

void TableDdl::alter(const Altered& given) {
    Altered t = given;
    for (const ColumnDefinition& column : t.after.columns) {
        const ColumnDefinition* before = find_part(t.before.columns, &ColumnDefinition::number, column.number);
        t.renames = t.renames || (before != nullptr && before->name != column.name);
    }
    if (t.change.recopy) {
        DerivedStatement statement{DdlKind::recopy, "TRUNCATE " + only(t.before)};
        statement.object = fmt::format("table '{}.{}'", t.before.schema, t.before.name);
        statement.destroys.push_back(destroyed(t.before));
        statement.keeps_rows = t.change.keeps_rows;
        out_.add(DdlPhase::empty, std::move(statement));
    }
    move(t);
    alter_columns(t);
    derive_constraints(t.before, t.after, has_parent_here(t.after), out_);
    alter_parents(t);
    if (t.before.persistence != t.after.persistence)
        add(DdlPhase::table_settings, DdlKind::table_options, t.after,
            fmt::format("ALTER TABLE {} SET {}", only(t.after), t.after.persistence == 'u' ? "UNLOGGED" : "LOGGED"));
    settings(&t.before, t.after);
    comments(&t.before, t.after);
}

void TableDdl::move(const Altered& t) {
    TableDefinition now = t.before;
    now.schema = schema_before(t.before.schema);
    if (now.schema != t.after.schema) {
        add(DdlPhase::rename_tables, DdlKind::rename_table, now,
            fmt::format("ALTER TABLE {} SET SCHEMA {}", quoted(now), quote_identifier(t.after.schema)));
        now.schema = t.after.schema;
    }
    if (now.name != t.after.name)
        add(DdlPhase::rename_tables, DdlKind::rename_table, now,
            fmt::format("ALTER TABLE {} RENAME TO {}", quoted(now), quote_identifier(t.after.name)));
}

void TableDdl::alter_columns(const Altered& t) {
    const bool by_parent = has_parent_here(t.after) && has_parent_here(t.before);
    for (const ColumnDefinition& before : t.before.columns) {
        if (find_part(t.after.columns, &ColumnDefinition::number, before.number) != nullptr) continue;
        if (before.inherited && by_parent) continue;
        drop_column(t.after, before.name);
    }
    for (const ColumnDefinition& after : t.after.columns) {
        const ColumnDefinition* before = find_part(t.before.columns, &ColumnDefinition::number, after.number);
        const bool with_parent = after.inherited && by_parent;
        if (before != nullptr && before->name != after.name && !with_parent)
            add(DdlPhase::rename_columns, DdlKind::rename_column, t.after,
                fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", quoted(t.after), quote_identifier(before->name),
                            quote_identifier(after.name)));
        if (before != nullptr)
            alter_column(t, *before, after);
        else if (!with_parent)
            add_column(t, after);
    }
}

void TableDdl::drop_column(const TableDefinition& table, const std::string& column) {
    DerivedStatement statement =
        on_table(table, DdlKind::drop_column,
                 fmt::format("ALTER TABLE {} DROP COLUMN {}", quoted(table), quote_identifier(column)));
    statement.column = column;
    out_.add(DdlPhase::drop_columns, std::move(statement));
}

void TableDdl::add_column(const Altered& t, const ColumnDefinition& column) {
    DerivedStatement statement = on_table(t.after, DdlKind::add_column, {});
    statement.column = column.name;
    ColumnDefinition first = column;
    if (column.generated == '\0' && column.identity == '\0') {
        if (!first.missing) first.missing = missing_in_children(t.change.oid, column.name);
        if (first.missing) statement.missing = missing_text(first);
        // Rewritten, and not copied again: the default gives every row the same value everywhere.
        const bool computed = t.change.rewritten != 0 && !t.change.recopy;
        if (first.missing)
            first.expression = *statement.missing;
        else if (!computed)
            first.expression.clear();
    }
    const auto text_of = [&](const ColumnDefinition& made) {
        return fmt::format("ALTER TABLE {} ADD COLUMN {}", quoted(t.after),
                           column_text(made) + not_null_text(t.after, made));
    };
    statement.text = text_of(first);
    if (is_recopied(t.change)) statement.kept_text = text_of(column);
    if (first.expression != column.expression)
        statement.text +=
            fmt::format("; ALTER TABLE {} ALTER COLUMN {} {}", quoted(t.after), quote_identifier(column.name),
                        column.expression.empty() ? "DROP DEFAULT" : "SET DEFAULT " + column.expression);
    out_.add(DdlPhase::add_columns, std::move(statement));
    derive_not_null(nullptr, {&t.after, &column}, false, out_);
}

void TableDdl::alter_column(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after) {
    const auto alter = [&](const std::string& what) { alter_column(DdlPhase::alter_columns, t.after, after, what); };
    const bool with_parent = after.inherited && has_parent_here(t.after);
    const bool retyped = !same_type(before, after);
    if (retyped && !with_parent) alter_type(t, before, after);
    if (!retyped) alter_default(t, before, after);
    if (!(with_parent && is_partition(t.after))) {
        const NotNullOf was{&t.before, &before};
        derive_not_null(&was, {&t.after, &after}, with_parent, out_);
        alter_identity(t, before, after);
    }
    if (before.storage != after.storage) alter("SET STORAGE " + storage_name(after));
    if (before.compression != after.compression) alter("SET COMPRESSION " + compression_name(after.compression));
}

// A default is not converted with its column. Of a table that is empty, for its rows come again, any conversion does;
// one whose rows stay takes none that would cut them.
void TableDdl::alter_type(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after) {
    const std::string name = quote_identifier(after.name);
    const auto text_of = [&](const std::string& conversion) {
        std::vector<std::string> actions;
        if (!before.expression.empty() && before.generated == '\0')
            actions.push_back(fmt::format("ALTER COLUMN {} DROP DEFAULT", name));
        actions.push_back(fmt::format("ALTER COLUMN {} TYPE {}{}", name, type_text(after), conversion));
        if (!after.expression.empty() && after.generated == '\0')
            actions.push_back(fmt::format("ALTER COLUMN {} SET DEFAULT {}", name, after.expression));
        return fmt::format("ALTER TABLE {} {}", quoted(t.after), fmt::join(actions, ", "));
    };
    const bool emptied = is_recopied(t.change) && t.change.own_rows.empty() && !t.change.keeps_rows;
    if (!emptied || after.generated != '\0')
        return add(DdlPhase::alter_columns, DdlKind::column_type, t.after, text_of(""));
    add(DdlPhase::alter_columns, DdlKind::column_type, t.after,
        text_of(fmt::format(" USING {}::text::{}", name, after.type)), text_of(""));
}

void TableDdl::alter_default(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after) {
    const auto alter = [&](const std::string& what) {
        add(DdlPhase::alter_columns, DdlKind::alter_column, t.after,
            fmt::format("ALTER TABLE {} ALTER COLUMN {} {}", "ONLY " + quoted(t.after), quote_identifier(after.name),
                        what));
    };
    // Children that follow have a change of their own.
    const bool generated = before.generated != '\0';
    if (generated && after.generated == '\0') alter("DROP EXPRESSION");
    const std::string expression = generated && after.generated == '\0' ? "" : before.expression;
    if (expression == after.expression) return;
    if (after.generated != '\0') {
        if (!t.renames) alter(fmt::format("SET EXPRESSION AS ({})", after.expression));
        return;
    }
    alter(after.expression.empty() ? "DROP DEFAULT" : "SET DEFAULT " + after.expression);
}

// From PostgreSQL 17 on a partition gets its root's with ATTACH, may not have its own then, and loses it with DETACH.
void TableDdl::alter_identity(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after) {
    const bool joins = is_partition(t.after) && !is_partition(t.before);
    const bool leaves = is_partition(t.before) && !is_partition(t.after);
    if (joins && before.identity != '\0') return drop_identity(t.after, after);
    if (before.identity == after.identity && before.identity_options == after.identity_options) return;
    if (joins || (leaves && after.identity == '\0')) return;
    const std::string mode = after.identity == 'a' ? "ALWAYS" : "BY DEFAULT";
    std::string what = "SET GENERATED " + mode;
    if (after.identity == '\0')
        what = "DROP IDENTITY";
    else if (before.identity == '\0')
        what = "ADD " + identity_text(after);
    else if (before.identity_options != after.identity_options)
        what += identity_changes(after);
    add(DdlPhase::alter_columns, DdlKind::alter_column, t.after,
        fmt::format("ALTER TABLE {} ALTER COLUMN {} {}", quoted(t.after), quote_identifier(after.name), what));
}

void TableDdl::drop_identity(const TableDefinition& table, const ColumnDefinition& column) {
    DerivedStatement statement = on_table(
        table, DdlKind::alter_column,
        fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY", quoted(table), quote_identifier(column.name)));
    statement.condition = "pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000";
    out_.add(DdlPhase::alter_columns, std::move(statement));
}

void TableDdl::attach(const TableDefinition& table, const ObjectName& parent, bool root_void) {
    DerivedStatement statement =
        on_table(table, DdlKind::partition,
                 fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", quoted(parent), quoted(table), table.bound));
    if (root_void) statement.voids = {*statement.table, {parent.schema, parent.name}};
    out_.add(DdlPhase::partitions, std::move(statement));
}

void TableDdl::alter_parents(const Altered& t) {
    const auto change = [&](DdlPhase phase, const std::string& text) { add(phase, DdlKind::partition, t.after, text); };
    const bool partition = is_partition(t.before) || is_partition(t.after);
    for (const ObjectName& parent : t.before.parents) {
        const bool kept = find_part(t.after.parents, &ObjectName::oid, parent.oid) != nullptr;
        if (dropped_.contains(parent.oid) || (kept && t.before.bound == t.after.bound)) continue;
        if (partition)
            change(DdlPhase::detach,
                   fmt::format("ALTER TABLE {} DETACH PARTITION {}", quoted(parent), quoted(t.before)));
        else
            change(DdlPhase::detach, fmt::format("ALTER TABLE {} NO INHERIT {}", quoted(t.before), quoted(parent)));
    }
    for (const ObjectName& parent : t.after.parents) {
        const bool there = find_part(t.before.parents, &ObjectName::oid, parent.oid) != nullptr;
        if (there && t.before.bound == t.after.bound) continue;
        if (partition)
            attach(t.after, parent, t.change.root_void);
        else
            change(DdlPhase::partitions, fmt::format("ALTER TABLE {} INHERIT {}", quoted(t.after), quoted(parent)));
    }
}

void TableDdl::settings(const TableDefinition* before, const TableDefinition& after) {
    static const TableDefinition none;
    const TableDefinition& old = before == nullptr ? none : *before;
    const auto alter = [&](DdlKind kind, const std::string& what) {
        add(DdlPhase::table_settings, kind, after, fmt::format("ALTER TABLE {} {}", only(after), what));
    };
    for (const std::string& what : option_changes(old.options, after.options)) alter(DdlKind::table_options, what);
    if (replica_identity_text(old) != replica_identity_text(after))
        alter(DdlKind::table_options, "REPLICA IDENTITY " + replica_identity_text(after));
    if (old.row_security != after.row_security)
        alter(DdlKind::row_security, after.row_security ? "ENABLE ROW LEVEL SECURITY" : "DISABLE ROW LEVEL SECURITY");
    if (old.force_row_security != after.force_row_security)
        alter(DdlKind::row_security,
              after.force_row_security ? "FORCE ROW LEVEL SECURITY" : "NO FORCE ROW LEVEL SECURITY");
    if (old.owner == after.owner || after.owner.empty()) return;
    out_.add(DdlPhase::owners, owner_statement("TABLE " + quoted(after), after.owner,
                                               fmt::format("table '{}.{}'", after.schema, after.name)));
}

void TableDdl::comments(const TableDefinition* before, const TableDefinition& after) {
    const auto comment = [&](const std::string& on, const std::string& text) {
        add(DdlPhase::comments, DdlKind::comment, after, fmt::format("COMMENT ON {} IS {}", on, comment_text(text)));
    };
    if ((before == nullptr ? "" : before->comment) != after.comment) comment("TABLE " + quoted(after), after.comment);
    for (const ColumnDefinition& column : after.columns) {
        const ColumnDefinition* old =
            before == nullptr ? nullptr : find_part(before->columns, &ColumnDefinition::number, column.number);
        if ((old == nullptr ? "" : old->comment) != column.comment)
            comment(fmt::format("COLUMN {}.{}", quoted(after), quote_identifier(column.name)), column.comment);
    }
    for (const ConstraintDefinition& constraint : after.constraints) {
        const ConstraintDefinition* old =
            before == nullptr ? nullptr : find_part(before->constraints, &ConstraintDefinition::oid, constraint.oid);
        if (constraint.type != 'n' && (old == nullptr ? "" : old->comment) != constraint.comment)
            out_.add(DdlPhase::comments, comment_on(after, constraint));
    }
}

}  // namespace pgsluice
