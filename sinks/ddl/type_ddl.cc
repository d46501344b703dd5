#include "sinks/ddl/type_ddl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sinks/ddl/object_commands.h"
#include "sql/quote.h"
#include "stream/definition/find_part.h"

namespace pgsluice {

using sql::quote_identifier;
using sql::quote_literal;

namespace {

std::string quoted(const TypeDefinition& type) { return sql::quote_qualified(type.schema, type.name); }
const char* command(const TypeDefinition& type) { return type.kind == 'd' ? "DOMAIN" : "TYPE"; }

std::string collated(const std::string& type, const std::string& collation) {
    return collation.empty() ? type : fmt::format("{} COLLATE {}", type, collation);
}

bool is_not_null(const DomainConstraint& constraint) { return constraint.definition.starts_with("NOT NULL"); }

std::string constraint_text(const DomainConstraint& constraint) {
    return fmt::format("CONSTRAINT {} {}", quote_identifier(constraint.name), constraint.definition);
}

std::string domain_text(const TypeDefinition& type) {
    std::string text = fmt::format("CREATE DOMAIN {} AS {}", quoted(type), collated(type.base, type.collation));
    if (!type.expression.empty()) text += " DEFAULT " + type.expression;
    if (type.not_null) text += " NOT NULL";
    for (const DomainConstraint& constraint : type.constraints)
        if (constraint.validated && !is_not_null(constraint)) text += ' ' + constraint_text(constraint);
    return text;
}

std::string range_text(const TypeDefinition& type) {
    std::vector<std::string> parts{"SUBTYPE = " + type.subtype};
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) parts.push_back(fmt::format("{} = {}", name, value));
    };
    add("SUBTYPE_OPCLASS", type.opclass);
    add("COLLATION", type.collation);
    add("CANONICAL", type.canonical);
    add("SUBTYPE_DIFF", type.subtype_diff);
    add("MULTIRANGE_TYPE_NAME", type.multirange);
    return fmt::format("CREATE TYPE {} AS RANGE ({})", quoted(type), fmt::join(parts, ", "));
}

std::string create_text(const TypeDefinition& type) {
    std::vector<std::string> parts;
    switch (type.kind) {
        case 'd':
            return domain_text(type);
        case 'r':
            return range_text(type);
        case 'e':
            for (const EnumLabel& label : type.labels) parts.push_back(quote_literal(label.label));
            return fmt::format("CREATE TYPE {} AS ENUM ({})", quoted(type), fmt::join(parts, ", "));
        default:
            for (const AttributeDefinition& attribute : type.attributes)
                parts.push_back(fmt::format("{} {}", quote_identifier(attribute.name),
                                            collated(attribute.type, attribute.collation)));
            return fmt::format("CREATE TYPE {} AS ({})", quoted(type), fmt::join(parts, ", "));
    }
}

class TypeDdl {
   public:
    TypeDdl(const TypeDefinition& before, const TypeDefinition& after, DdlPhases& out)
        : before_(before), after_(after), out_(out) {}

    void derive() {
        move();
        labels();
        attributes();
        if (after_.kind == 'd') domain();
    }

   private:
    void add(const TypeDefinition& type, std::string text) {
        DerivedStatement statement{DdlKind::alter_type, std::move(text)};
        statement.object = fmt::format("type '{}.{}'", type.schema, type.name);
        statement.type = {type.schema, type.name};
        out_.add(DdlPhase::types, std::move(statement));
    }
    void alter(const std::string& what) {
        add(after_, fmt::format("ALTER {} {} {}", command(after_), quoted(after_), what));
    }

    void move() {
        TypeDefinition now = before_;
        if (now.schema != after_.schema) {
            add(now,
                fmt::format("ALTER {} {} SET SCHEMA {}", command(now), quoted(now), quote_identifier(after_.schema)));
            now.schema = after_.schema;
        }
        if (now.name != after_.name)
            add(now, fmt::format("ALTER {} {} RENAME TO {}", command(now), quoted(now), quote_identifier(after_.name)));
    }

    void labels() {
        for (std::size_t i = 0; i < after_.labels.size(); ++i) {
            const EnumLabel& label = after_.labels[i];
            const EnumLabel* old = find_part(before_.labels, &EnumLabel::oid, label.oid);
            if (old == nullptr)
                alter(fmt::format("ADD VALUE IF NOT EXISTS {}{}", quote_literal(label.label), place(i)));
            else if (old->label != label.label)
                alter(fmt::format("RENAME VALUE {} TO {}", quote_literal(old->label), quote_literal(label.label)));
        }
    }
    // Those before it are there by then.
    [[nodiscard]] std::string place(std::size_t i) const {
        if (i > 0) return " AFTER " + quote_literal(after_.labels[i - 1].label);
        for (const EnumLabel& next : after_.labels)
            if (const EnumLabel* old = find_part(before_.labels, &EnumLabel::oid, next.oid))
                return " BEFORE " + quote_literal(old->label);
        return "";
    }

    void attributes() {
        for (const AttributeDefinition& old : before_.attributes)
            if (find_part(after_.attributes, &AttributeDefinition::number, old.number) == nullptr)
                alter("DROP ATTRIBUTE " + quote_identifier(old.name));
        for (const AttributeDefinition& now : after_.attributes) {
            const AttributeDefinition* old = find_part(before_.attributes, &AttributeDefinition::number, now.number);
            const std::string name = quote_identifier(now.name);
            if (old == nullptr) {
                alter(fmt::format("ADD ATTRIBUTE {} {}", name, collated(now.type, now.collation)));
                continue;
            }
            if (old->name != now.name)
                alter(fmt::format("RENAME ATTRIBUTE {} TO {}", quote_identifier(old->name), name));
            if (old->type != now.type || old->collation != now.collation)
                alter(fmt::format("ALTER ATTRIBUTE {} TYPE {}", name, collated(now.type, now.collation)));
        }
    }

    void domain() {
        if (before_.expression != after_.expression)
            alter(after_.expression.empty() ? "DROP DEFAULT" : "SET DEFAULT " + after_.expression);
        if (before_.not_null != after_.not_null) alter(after_.not_null ? "SET NOT NULL" : "DROP NOT NULL");
        for (const DomainConstraint& old : before_.constraints)
            if (!is_not_null(old) && find_part(after_.constraints, &DomainConstraint::oid, old.oid) == nullptr)
                alter("DROP CONSTRAINT " + quote_identifier(old.name));
        for (const DomainConstraint& now : after_.constraints) {
            if (is_not_null(now)) continue;
            const DomainConstraint* old = find_part(before_.constraints, &DomainConstraint::oid, now.oid);
            if (old == nullptr) {
                alter("ADD " + constraint_text(now));
                continue;
            }
            if (old->name != now.name)
                alter(
                    fmt::format("RENAME CONSTRAINT {} TO {}", quote_identifier(old->name), quote_identifier(now.name)));
            if (!old->validated && now.validated) alter("VALIDATE CONSTRAINT " + quote_identifier(now.name));
        }
    }

    const TypeDefinition& before_;
    const TypeDefinition& after_;
    DdlPhases& out_;
};

void create(const TypeDefinition& type, DdlPhases& out) {
    DerivedStatement statement{DdlKind::create_type, create_text(type)};
    statement.object = fmt::format("type '{}.{}'", type.schema, type.name);
    statement.creates = true;
    statement.absent = fmt::format("pg_catalog.to_regtype({}) IS NULL", quote_literal(quoted(type)));
    out.add(DdlPhase::types, std::move(statement));
    for (const DomainConstraint& constraint : type.constraints) {
        if (constraint.validated || is_not_null(constraint)) continue;
        DerivedStatement later{DdlKind::alter_type,
                               fmt::format("ALTER DOMAIN {} ADD {}", quoted(type), constraint_text(constraint))};
        later.object = fmt::format("type '{}.{}'", type.schema, type.name);
        later.type = {type.schema, type.name};
        out.add(DdlPhase::types, std::move(later));
    }
}

void drop(const TypeDefinition& type, DdlPhases& out) {
    DerivedStatement statement{DdlKind::drop_type, fmt::format("DROP {} {}", command(type), quoted(type))};
    statement.object = fmt::format("type '{}.{}'", type.schema, type.name);
    statement.drops = true;
    out.add(DdlPhase::drop_types, std::move(statement));
}

void settings(const TypeDefinition* before, const TypeDefinition& after, DdlPhases& out) {
    const std::string object = fmt::format("type '{}.{}'", after.schema, after.name);
    if (!after.owner.empty() && (before == nullptr || before->owner != after.owner)) {
        out.add(DdlPhase::owners,
                owner_statement(fmt::format("{} {}", command(after), quoted(after)), after.owner, object));
    }
    if ((before == nullptr ? "" : before->comment) == after.comment) return;
    DerivedStatement statement{
        DdlKind::comment,
        fmt::format("COMMENT ON {} {} IS {}", command(after), quoted(after), comment_text(after.comment)), object};
    statement.type = {after.schema, after.name};
    out.add(DdlPhase::comments, std::move(statement));
}

}  // namespace

void derive_type(const TypeDefinition* before, const TypeDefinition* after, DdlPhases& out) {
    if (after == nullptr) return drop(*before, out);
    if (before == nullptr)
        create(*after, out);
    else
        TypeDdl(*before, *after, out).derive();
    settings(before, *after, out);
}

}  // namespace pgsluice
