#include "sinks/ddl/constraint_ddl.h"

#include <fmt/format.h>

#include <vector>

#include "sinks/ddl/object_commands.h"
#include "sinks/ddl/table_text.h"
#include "sql/quote.h"
#include "stream/definition/find_part.h"

namespace pgsluice {

using sql::quote_identifier;

namespace {

// A constraint keeps its oid as long as it is the same one: its text then changes with the names in it. One that was
// made again with the same text, as an ALTER TYPE does it, is the same on the target.
const ConstraintDefinition* find_same(const std::vector<ConstraintDefinition>& all, const ConstraintDefinition& one) {
    const auto* found = find_part(all, &ConstraintDefinition::oid, one.oid);
    if (found != nullptr) return found;
    found = find_part(all, &ConstraintDefinition::name, one.name);
    return found != nullptr && found->definition == one.definition && found->type == one.type ? found : nullptr;
}

DerivedStatement on(const TableDefinition& table, std::string text) {
    return on_table(table, DdlKind::constraint, std::move(text));
}

void drop(const TableDefinition& table, const ConstraintDefinition& constraint, DdlPhases& out) {
    auto statement =
        on(table, fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", constraint.type == 'c' ? only(table) : quoted(table),
                              quote_identifier(constraint.name)));
    statement.drops = true;
    if (constraint.type == 'f') statement.foreign_key = constraint.name;
    out.add(constraint.type == 'f' ? DdlPhase::drop_dependents : DdlPhase::drop_constraints, std::move(statement));
}

DerivedStatement change(const TableDefinition& table, const ConstraintDefinition& constraint, const std::string& what) {
    auto statement = on(table, fmt::format("ALTER TABLE {} {}", quoted(table), what));
    if (constraint.type == 'f') statement.foreign_key = constraint.name;
    return statement;
}

void alter(const TableDefinition& table, const ConstraintDefinition& before, const ConstraintDefinition& after,
           DdlPhases& out) {
    const std::string name = quote_identifier(after.name);
    if (before.name != after.name) {
        auto renaming =
            change(table, before, fmt::format("RENAME CONSTRAINT {} TO {}", quote_identifier(before.name), name));
        renaming.renamed_to = after.name;
        out.add(DdlPhase::constraints, std::move(renaming));
    }
    if (before.type == 'f' && deferral(before) != deferral(after))
        out.add(DdlPhase::constraints,
                change(table, after, fmt::format("ALTER CONSTRAINT {} {}", name, deferral(after))));
    if (before.enforced != after.enforced) {  // this checks it, too
        auto changed = change(
            table, after, fmt::format("ALTER CONSTRAINT {} {}", name, after.enforced ? "ENFORCED" : "NOT ENFORCED"));
        changed.enforces = after.enforced;
        out.add(DdlPhase::constraints, std::move(changed));
    } else if (!before.validated && after.validated) {
        out.add(DdlPhase::constraints, change(table, after, "VALIDATE CONSTRAINT " + name));
    }
}

}  // namespace

void add_constraint(const TableDefinition& table, const ConstraintDefinition& constraint, DdlPhases& out) {
    auto statement = on(table, fmt::format("ALTER TABLE {} ADD {}", quoted(table), constraint_text(constraint)));
    statement.creates = true;
    if (constraint.type == 'f') statement.foreign_key = constraint.name;
    out.add(constraint.type == 'f' ? DdlPhase::foreign_keys : DdlPhase::constraints, std::move(statement));
}

DerivedStatement comment_on(const TableDefinition& table, const ConstraintDefinition& constraint) {
    auto statement = on(table, fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", quote_identifier(constraint.name),
                                           quoted(table), comment_text(constraint.comment)));
    statement.kind = DdlKind::comment;
    if (constraint.type == 'f') statement.foreign_key = constraint.name;
    return statement;
}

void derive_constraints(const TableDefinition& before, const TableDefinition& after, bool with_parent, DdlPhases& out) {
    const auto is_own = [&](const ConstraintDefinition& constraint) {
        return constraint.type != 'n' && !(constraint.inherited && with_parent);
    };
    for (const ConstraintDefinition& old : before.constraints)
        if (is_own(old) && find_same(after.constraints, old) == nullptr) drop(before, old, out);
    for (const ConstraintDefinition& now : after.constraints) {
        if (!is_own(now)) continue;
        if (const ConstraintDefinition* old = find_same(before.constraints, now))
            alter(after, *old, now, out);
        else if (!now.inherited)
            add_constraint(after, now, out);
    }
}

}  // namespace pgsluice
