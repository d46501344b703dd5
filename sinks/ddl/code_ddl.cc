#include "sinks/ddl/code_ddl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sinks/ddl/object_commands.h"
#include "sinks/ddl/option_changes.h"
#include "sinks/ddl/table_text.h"
#include "sql/quote.h"

namespace pgsluice {

using sql::quote_identifier;
using sql::quote_literal;

namespace {

// One object's commands. They run as the owner of `of`: a relation, if there is one.
class CodeCommands {
   public:
    CodeCommands(DdlPhases& out, std::string object, std::optional<QualifiedName> of = {})
        : out_(out), object_(std::move(object)), of_(std::move(of)) {}

    DerivedStatement make(DdlKind kind, std::string text) const {
        DerivedStatement statement{kind, std::move(text)};
        statement.object = object_;
        statement.table = of_;
        return statement;
    }
    void add(DerivedStatement statement, DdlPhase phase = DdlPhase::code) { out_.add(phase, std::move(statement)); }
    void add(DdlKind kind, std::string text) { add(make(kind, std::move(text))); }
    void comment(const std::string& on, const std::string& before, const std::string& after) {
        if (before != after)
            add(make(DdlKind::comment, fmt::format("COMMENT ON {} IS {}", on, comment_text(after))),
                DdlPhase::comments);
    }

   private:
    DdlPhases& out_;
    std::string object_;
    std::optional<QualifiedName> of_;
};

// It may have been left out when it was made.
void require(DerivedStatement& statement, const std::string& condition) {
    statement.condition =
        statement.condition.empty() ? condition : fmt::format("{} AND {}", statement.condition, condition);
    if (statement.otherwise.empty()) statement.otherwise = "the target does not have it";
}

std::string quoted(const ViewDefinition& view) { return sql::quote_qualified(view.schema, view.name); }
std::string object_of(const ViewDefinition& view) { return fmt::format("view '{}.{}'", view.schema, view.name); }

std::string create_text(const ViewDefinition& view) {
    std::string options;
    const auto set = option_changes({}, view.options);
    if (!set.empty()) options = " WITH " + set.front().substr(set.front().find('('));
    std::vector<std::string> columns;
    for (const std::string& column : view.columns) columns.push_back(quote_identifier(column));
    return fmt::format("VIEW {} ({}){} AS {}", quoted(view), fmt::join(columns, ", "), options, view.definition);
}

std::string is_there(const ViewDefinition& view) {
    return fmt::format("pg_catalog.to_regclass({}) IS NOT NULL", quote_literal(quoted(view)));
}

void create_view(const ViewDefinition& view, DdlPhases& out) {
    std::optional<QualifiedName> read;
    if (!view.reads.empty()) read = {view.reads.front().table.schema, view.reads.front().table.name};
    CodeCommands commands(out, object_of(view), read);
    auto statement = commands.make(DdlKind::create_view, "CREATE " + create_text(view));
    statement.creates = true;
    commands.add(std::move(statement));
}

void alter_view(const ViewDefinition& before, const ViewDefinition& after, DdlPhases& out) {
    ViewDefinition now = before;
    const auto alter = [&](const std::string& what) {
        CodeCommands commands(out, object_of(now), QualifiedName{now.schema, now.name});
        auto statement = commands.make(DdlKind::alter_view, fmt::format("ALTER VIEW {} {}", quoted(now), what));
        require(statement, is_there(now));
        commands.add(std::move(statement));
    };
    if (now.schema != after.schema) alter("SET SCHEMA " + quote_identifier(after.schema));
    now.schema = after.schema;
    if (now.name != after.name) alter("RENAME TO " + quote_identifier(after.name));
    now.name = after.name;
    for (std::size_t i = 0; i < std::min(before.columns.size(), after.columns.size()); ++i)
        if (before.columns[i] != after.columns[i])
            alter(fmt::format("RENAME COLUMN {} TO {}", quote_identifier(before.columns[i]),
                              quote_identifier(after.columns[i])));
    for (const std::string& what : option_changes(before.options, after.options)) alter(what);
    if (before.definition != after.definition) {
        CodeCommands commands(out, object_of(after), QualifiedName{after.schema, after.name});
        commands.add(DdlKind::alter_view, "CREATE OR REPLACE " + create_text(after));
    }
}

// ALTER and DROP of a function name its types.
std::string quoted(const FunctionDefinition& function) {
    return fmt::format("{}({})", sql::quote_qualified(function.schema, function.name), function.arguments);
}
const char* command(const FunctionDefinition& function) { return function.kind == 'p' ? "PROCEDURE" : "FUNCTION"; }
std::string object_of(const FunctionDefinition& function) {
    return fmt::format("function '{}.{}({})'", function.schema, function.name, function.arguments);
}

DerivedStatement on(const FunctionDefinition& function, DdlKind kind, std::string text) {
    DerivedStatement statement{kind, std::move(text)};
    statement.object = object_of(function);
    statement.owner_query = fmt::format(
        "SELECT pg_catalog.pg_get_userbyid(p.proowner), p.proowner = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE "
        "r.rolname = current_user) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = {} AND p.proname = {} AND pg_catalog.pg_get_function_identity_arguments(p.oid) = {}",
        quote_literal(function.schema), quote_literal(function.name), quote_literal(function.arguments));
    return statement;
}

// What runs with its owner's rights keeps the owner that it was made with.
void settings(const FunctionDefinition* before, const FunctionDefinition& after, DdlPhases& out) {
    const std::string named = fmt::format("{} {}", command(after), quoted(after));
    auto statement =
        on(after, DdlKind::comment, fmt::format("COMMENT ON {} IS {}", named, comment_text(after.comment)));
    const std::string there = fmt::format("EXISTS ({})", statement.owner_query);
    require(statement, there);
    if ((before == nullptr ? "" : before->comment) != after.comment) out.add(DdlPhase::comments, std::move(statement));
    if (after.owner.empty() || after.definer || (before != nullptr && before->owner == after.owner)) return;
    auto owner = owner_statement(named, after.owner, object_of(after));
    require(owner, there);
    out.add(DdlPhase::owners, std::move(owner));
}

QualifiedName table_of(const ObjectName& table) { return {table.schema, table.name}; }

std::string object_of(const TriggerDefinition& trigger) {
    return fmt::format("trigger '{}' on table '{}.{}'", trigger.name, trigger.table.schema, trigger.table.name);
}

std::string create_text(const TriggerDefinition& trigger) {
    return fmt::format("{}TRIGGER {} {} ON {} {}", trigger.constraint ? "CONSTRAINT " : "",
                       quote_identifier(trigger.name), trigger.event, quoted(trigger.table), trigger.rest);
}

std::string enabling(const TriggerDefinition& trigger) {
    const char* how = trigger.enabled == 'D'   ? "DISABLE"
                      : trigger.enabled == 'R' ? "ENABLE REPLICA"
                      : trigger.enabled == 'A' ? "ENABLE ALWAYS"
                                               : "ENABLE";
    return fmt::format("ALTER TABLE {} {} TRIGGER {}", quoted(trigger.table), how, quote_identifier(trigger.name));
}

std::string drop_text(const TriggerDefinition& trigger) {
    return fmt::format("DROP TRIGGER {} ON {}", quote_identifier(trigger.name), quoted(trigger.table));
}

std::string object_of(const PolicyDefinition& policy) {
    return fmt::format("policy '{}' on table '{}.{}'", policy.name, policy.table.schema, policy.table.name);
}

std::string quoted(const PolicyDefinition& policy) {
    return fmt::format("POLICY {} ON {}", quote_identifier(policy.name), quoted(policy.table));
}

std::string parts_of(const PolicyDefinition& policy) {
    std::string text = fmt::format(" TO {}", fmt::join(policy.roles, ", "));
    if (!policy.expression.empty()) text += fmt::format(" USING ({})", policy.expression);
    if (!policy.check.empty()) text += fmt::format(" WITH CHECK ({})", policy.check);
    return text;
}

std::string right_text(const char* verb, const Right& right, const ObjectName& table, const char* to) {
    const std::string column = right.column.empty() ? "" : fmt::format(" ({})", quote_identifier(right.column));
    return fmt::format("{} {}{} ON TABLE {} {} {}", verb, right.privilege, column, quoted(table), to,
                       right.role.empty() ? "PUBLIC" : quote_identifier(right.role));
}

// Those that only the first has.
std::vector<Right> missing_in(const GrantsDefinition* has, const GrantsDefinition* lacks) {
    std::vector<Right> found;
    if (has == nullptr) return found;
    for (const Right& right : has->rights)
        if (lacks == nullptr || std::find(lacks->rights.begin(), lacks->rights.end(), right) == lacks->rights.end())
            found.push_back(right);
    return found;
}

}  // namespace

void derive_grants(const GrantsDefinition* before, const GrantsDefinition* after, DdlPhases& out) {
    const ObjectName& table = (after == nullptr ? before : after)->table;
    CodeCommands commands(out, fmt::format("table '{}.{}'", table.schema, table.name), table_of(table));
    const auto add = [&](const Right& right, std::string text) {
        auto statement = commands.make(DdlKind::grant, std::move(text));
        statement.condition =
            right.role.empty()
                ? "true"
                : fmt::format("EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})", quote_literal(right.role));
        statement.otherwise = fmt::format("the target has no role '{}'", right.role);
        commands.add(std::move(statement));
    };
    for (const Right& right : missing_in(before, after)) add(right, right_text("REVOKE", right, table, "FROM"));
    for (const Right& right : missing_in(after, before))
        add(right, right_text("GRANT", right, table, "TO") + (right.grantable ? " WITH GRANT OPTION" : ""));
}

void drop_views(const DefinitionMessage& message, DdlPhases& out) {
    std::vector<std::string> names;
    const ViewDefinition* first = nullptr;
    for (const DefinitionChange& change : message.objects) {
        if (change.after || !std::holds_alternative<ViewDefinition>(*change.before)) continue;
        const auto& view = std::get<ViewDefinition>(*change.before);
        if (first == nullptr) first = &view;
        names.push_back(quoted(view));
    }
    if (first == nullptr) return;
    CodeCommands commands(out, object_of(*first), QualifiedName{first->schema, first->name});
    auto statement = commands.make(DdlKind::drop_view, fmt::format("DROP VIEW IF EXISTS {}", fmt::join(names, ", ")));
    statement.drops = true;
    commands.add(std::move(statement), DdlPhase::drop_dependents);
}

void derive_view(const ViewDefinition* before, const ViewDefinition* after, DdlPhases& out) {
    if (after == nullptr) return;
    if (before == nullptr)
        create_view(*after, out);
    else
        alter_view(*before, *after, out);
    CodeCommands commands(out, object_of(*after), QualifiedName{after->schema, after->name});
    if (!after->owner.empty() && (before == nullptr || before->owner != after->owner)) {
        auto statement = owner_statement("VIEW " + quoted(*after), after->owner, object_of(*after));
        require(statement, is_there(*after));
        out.add(DdlPhase::owners, std::move(statement));
    }
    if ((before == nullptr ? "" : before->comment) == after->comment) return;
    auto statement = commands.make(
        DdlKind::comment, fmt::format("COMMENT ON VIEW {} IS {}", quoted(*after), comment_text(after->comment)));
    require(statement, is_there(*after));
    commands.add(std::move(statement), DdlPhase::comments);
}

void derive_function(const FunctionDefinition* before, const FunctionDefinition* after, DdlPhases& out) {
    if (after == nullptr) {
        auto statement =
            on(*before, DdlKind::drop_function, fmt::format("DROP {} IF EXISTS {}", command(*before), quoted(*before)));
        statement.drops = true;
        return out.add(DdlPhase::drop_types, std::move(statement));
    }
    if (before != nullptr) {
        FunctionDefinition now = *before;
        const auto alter = [&](const std::string& what) {
            auto statement =
                on(now, DdlKind::alter_function, fmt::format("ALTER {} {} {}", command(now), quoted(now), what));
            require(statement, fmt::format("EXISTS ({})", statement.owner_query));
            out.add(DdlPhase::functions, std::move(statement));
        };
        if (now.schema != after->schema) alter("SET SCHEMA " + quote_identifier(after->schema));
        now.schema = after->schema;
        if (now.name != after->name) alter("RENAME TO " + quote_identifier(after->name));
    }
    if (before == nullptr || before->definition != after->definition) {
        auto statement =
            on(*after, before == nullptr ? DdlKind::create_function : DdlKind::alter_function, after->definition);
        statement.creates = true;
        statement.definer = after->definer;
        out.add(DdlPhase::functions, std::move(statement));
    }
    settings(before, *after, out);
}

void derive_trigger(const TriggerDefinition* before, const TriggerDefinition* after, DdlPhases& out) {
    const TriggerDefinition& any = after == nullptr ? *before : *after;
    CodeCommands commands(out, object_of(any), table_of(any.table));
    if (after == nullptr) {
        auto statement = commands.make(DdlKind::drop_trigger, drop_text(*before));
        statement.drops = true;
        return commands.add(std::move(statement), DdlPhase::drop_dependents);
    }
    const bool same = before != nullptr && before->constraint == after->constraint && before->event == after->event &&
                      before->rest == after->rest;
    if (before == nullptr) {
        auto statement = commands.make(DdlKind::create_trigger, "CREATE " + create_text(*after));
        statement.creates = true;
        commands.add(std::move(statement));
    } else {
        if (before->name != after->name)
            commands.add(DdlKind::alter_trigger,
                         fmt::format("ALTER TRIGGER {} ON {} RENAME TO {}", quote_identifier(before->name),
                                     quoted(after->table), quote_identifier(after->name)));
        if (!same) {  // a constraint trigger cannot be replaced
            commands.add(DdlKind::alter_trigger, drop_text(*after));
            commands.add(DdlKind::alter_trigger, "CREATE " + create_text(*after));
        }
    }
    const char was = same ? before->enabled : 'O';
    if (was != after->enabled) commands.add(DdlKind::alter_trigger, enabling(*after));
    commands.comment(fmt::format("TRIGGER {} ON {}", quote_identifier(after->name), quoted(after->table)),
                     same ? before->comment : "", after->comment);
}

void derive_policy(const PolicyDefinition* before, const PolicyDefinition* after, DdlPhases& out) {
    const PolicyDefinition& any = after == nullptr ? *before : *after;
    CodeCommands commands(out, object_of(any), table_of(any.table));
    if (after == nullptr) {
        auto statement = commands.make(DdlKind::drop_policy, "DROP " + quoted(*before));
        statement.drops = true;
        return commands.add(std::move(statement), DdlPhase::drop_dependents);
    }
    if (before == nullptr) {
        auto statement =
            commands.make(DdlKind::create_policy, fmt::format("CREATE {} AS {} FOR {}{}", quoted(*after),
                                                              after->restrictive ? "RESTRICTIVE" : "PERMISSIVE",
                                                              after->command, parts_of(*after)));
        statement.creates = true;
        commands.add(std::move(statement));
    } else {
        if (before->name != after->name)
            commands.add(DdlKind::alter_policy,
                         fmt::format("ALTER POLICY {} ON {} RENAME TO {}", quote_identifier(before->name),
                                     quoted(after->table), quote_identifier(after->name)));
        if (parts_of(*before) != parts_of(*after))
            commands.add(DdlKind::alter_policy, fmt::format("ALTER {}{}", quoted(*after), parts_of(*after)));
    }
    commands.comment(quoted(*after), before == nullptr ? "" : before->comment, after->comment);
}

}  // namespace pgsluice
