#include "sinks/ddl/not_null_ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "sinks/ddl/object_commands.h"
#include "sinks/ddl/table_text.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using sql::quote_identifier;

constexpr const char* has_constraints = "pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 180000";
constexpr const char* has_none = "pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 180000";

// The column in "NOT NULL a" or `NOT NULL "a b" NO INHERIT`.
std::string column_in(std::string_view definition) {
    constexpr std::string_view head = "NOT NULL ";
    if (!definition.starts_with(head)) return {};
    definition.remove_prefix(head.size());
    if (!definition.starts_with('"')) return std::string(definition.substr(0, definition.find(' ')));
    std::string name;
    for (std::size_t i = 1; i < definition.size(); ++i) {
        if (definition[i] == '"' && definition.substr(i + 1, 1) != "\"") break;
        if (definition[i] == '"') ++i;
        name += definition[i];
    }
    return name;
}

const ConstraintDefinition* constraint_of(const NotNullOf& of) {
    for (const ConstraintDefinition& constraint : of.table->constraints)
        if (constraint.type == 'n' && column_in(constraint.definition) == of.column->name) return &constraint;
    return nullptr;
}

bool is_inherited_further(const ConstraintDefinition& constraint) {
    return constraint.definition.find(" NO INHERIT") == std::string::npos;
}

// What SET NOT NULL makes is called so.
std::string usual_name(const NotNullOf& of) { return fmt::format("{}_{}_not_null", of.table->name, of.column->name); }

bool has_usual_name(const NotNullOf& of, const ConstraintDefinition& constraint) {
    return constraint.name == usual_name(of);
}

bool is_plain(const ConstraintDefinition& constraint) {
    return constraint.validated && is_inherited_further(constraint);
}

class NotNullDdl {
   public:
    NotNullDdl(const NotNullOf& after, DdlPhases& out) : after_(after), out_(out) {}

    void add(const ConstraintDefinition& constraint) {
        alter("ADD " + constraint_text(constraint), has_constraints);
        if (constraint.validated) set(&constraint, has_none);
    }
    void change(const ConstraintDefinition& before, const ConstraintDefinition& now) {
        const std::string name = quote_identifier(now.name);
        if (before.validated && !now.validated) {
            alter("DROP CONSTRAINT " + quote_identifier(before.name), is_there(before.name));
            return add(now);
        }
        if (before.name != now.name)
            alter(fmt::format("RENAME CONSTRAINT {} TO {}", quote_identifier(before.name), name),
                  is_there(before.name));
        if (is_inherited_further(before) != is_inherited_further(now))
            alter(fmt::format("ALTER CONSTRAINT {} {}", name, is_inherited_further(now) ? "INHERIT" : "NO INHERIT"),
                  is_there(now.name));
        if (before.validated || !now.validated) return;
        alter("VALIDATE CONSTRAINT " + name, is_there(now.name));
        set(&now, has_none);
    }
    // A source before PostgreSQL 18 has no constraint to say of, and says of each child what it is.
    void set(const ConstraintDefinition* constraint, const char* condition = "") {
        const bool with_children = constraint != nullptr && is_inherited_further(*constraint);
        alter_one(with_children ? quoted(*after_.table) : only(*after_.table),
                  fmt::format("ALTER COLUMN {} SET NOT NULL", column()), condition);
    }
    void drop() { alter_one(only(*after_.table), fmt::format("ALTER COLUMN {} DROP NOT NULL", column()), ""); }

    void comment(const std::string& before, const ConstraintDefinition& now) {
        if (before == now.comment) return;
        statement(DdlPhase::comments, DdlKind::comment,
                  fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", quote_identifier(now.name), quoted(*after_.table),
                              comment_text(now.comment)),
                  is_there(now.name));
    }

   private:
    [[nodiscard]] std::string column() const { return quote_identifier(after_.column->name); }
    [[nodiscard]] std::string is_there(const std::string& name) const {
        return fmt::format(
            "EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass({}) AND contype = "
            "'n' AND conname = {})",
            sql::quote_literal(quoted(*after_.table)), sql::quote_literal(name));
    }
    // Children have it from there: of ONLY a table it would not be inherited.
    void alter(const std::string& what, std::string condition) {
        alter_one(quoted(*after_.table), what, std::move(condition));
    }
    void alter_one(const std::string& table, const std::string& what, std::string condition) {
        statement(DdlPhase::alter_columns, DdlKind::alter_column, fmt::format("ALTER TABLE {} {}", table, what),
                  std::move(condition));
    }
    void statement(DdlPhase phase, DdlKind kind, std::string text, std::string condition) {
        DerivedStatement made = on_table(*after_.table, kind, std::move(text));
        made.condition = std::move(condition);
        out_.add(phase, std::move(made));
    }

    const NotNullOf& after_;
    DdlPhases& out_;
};

}  // namespace

const ConstraintDefinition* not_null_constraint(const TableDefinition& table, const ColumnDefinition& column) {
    return constraint_of({&table, &column});
}

std::string not_null_text(const TableDefinition& table, const ColumnDefinition& column) {
    if (!column.not_null) return {};
    const ConstraintDefinition* constraint = constraint_of({&table, &column});
    if (constraint == nullptr || (is_plain(*constraint) && has_usual_name({&table, &column}, *constraint)))
        return " NOT NULL";
    return is_plain(*constraint) ? fmt::format(" CONSTRAINT {} NOT NULL", quote_identifier(constraint->name)) : "";
}

bool inherits_not_null(const TableDefinition& table, const ColumnDefinition& column) {
    const ConstraintDefinition* constraint = constraint_of({&table, &column});
    return constraint != nullptr && constraint->inherited;
}

bool was_attached(const TableDefinition& table) {
    return std::ranges::any_of(table.columns, [&](const ColumnDefinition& column) {
        const ConstraintDefinition* constraint = constraint_of({&table, &column});
        return constraint != nullptr && constraint->inherited && has_usual_name({&table, &column}, *constraint);
    });
}

void add_own_not_null(const NotNullOf& of, DdlPhases& out) {
    const ConstraintDefinition* constraint = constraint_of(of);
    if (!of.column->not_null || (constraint != nullptr && constraint->inherited)) return;
    NotNullDdl ddl(of, out);
    if (constraint == nullptr) return ddl.set(nullptr);
    if (!is_plain(*constraint)) return ddl.add(*constraint);
    ddl.set(constraint);
    ConstraintDefinition usual = *constraint;
    usual.name = usual_name(of);
    ddl.change(usual, *constraint);
    ddl.comment("", *constraint);
}

void derive_not_null(const NotNullOf* before, const NotNullOf& after, bool with_parent, DdlPhases& out) {
    NotNullDdl ddl(after, out);
    const ConstraintDefinition* now = constraint_of(after);
    const ConstraintDefinition* was = before == nullptr ? nullptr : constraint_of(*before);
    if (now != nullptr) ddl.comment(was == nullptr ? "" : was->comment, *now);
    if (before == nullptr) {
        if (now != nullptr && !is_plain(*now)) ddl.add(*now);
        return;
    }
    if (with_parent && now != nullptr && now->inherited) return;
    if (was != nullptr && now != nullptr) return ddl.change(*was, *now);
    if (now != nullptr && (!is_plain(*now) || !has_usual_name(after, *now))) return ddl.add(*now);
    if (after.column->not_null && !before->column->not_null) return ddl.set(now);
    if (before->column->not_null && !after.column->not_null) ddl.drop();
}

}  // namespace pgsluice
