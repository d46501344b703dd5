#include "rules/ddl/code_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "rules/ddl/expression.h"

namespace pgsluice::rules {

namespace {

// Why a target cannot be given the text; and whether the text may hold what is hidden.
struct Verdict {
    std::string why{};
    bool hides = false;
};

std::string shown(const ObjectName& table) { return fmt::format("'{}.{}'", table.schema, table.name); }

// ---- views

// Without columns it is not known which ones it reads.
bool reads_hidden(const TypeUse& use, const TableSays& says, const ViewDefinition& view) {
    if (says.strict && use.columns.empty()) return true;
    if (!says.hides()) return false;
    const auto hidden = says.hidden();
    return use.columns.empty() || names_whole_row(view.definition) ||
           std::any_of(use.columns.begin(), use.columns.end(), [&](const auto& c) { return hidden.contains(c); });
}

bool is_routed(const ObjectName& table, const TableSays& says) {
    ObjectName now = table;
    route(says, now.schema, now.name);
    return !says.columns.empty() || !(now == table);
}

Verdict verdict(const FilesSay& files, const ViewDefinition& view) {
    Verdict found;
    for (const TypeUse& use : view.reads) {
        const TableSays says = files.of(use.table, use.ancestors, use.columns);
        if (reads_hidden(use, says, view))
            return {fmt::format("it reads columns of table {} that have rules", shown(use.table)), true};
        if (is_left_out(says, use.table.schema, use.table.name))
            found.why = fmt::format("it reads table {}, which is not replicated", shown(use.table));
        else if (is_routed(use.table, says))
            found.why = fmt::format("it names table {}, which is routed elsewhere", shown(use.table));
    }
    return found;
}

void strip(ViewDefinition& view) {
    view.definition.clear();
    view.comment.clear();
}

// ---- functions

// A body is text in whatever language: its words.
bool has_word(std::string_view text, const std::set<std::string>& words) {
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const auto c = static_cast<unsigned char>(i < text.size() ? text[i] : ' ');
        if (std::isalnum(c) != 0 || c == '_' || c == '$' || c >= 0x80) {
            word += static_cast<char>(std::tolower(c));
        } else if (!word.empty()) {
            if (words.contains(word)) return true;
            word.clear();
        }
    }
    return false;
}

Verdict verdict(const FilesSay& files, const FunctionDefinition& function) {
    if (files.strict()) return {"mode is strict, and its text may be about any table", true};
    if (files.lists_columns()) return {"a route leaves columns out, and its text may be about them", true};
    if (has_word(function.definition, files.hidden_words())) return {"it names a table or column that has rules", true};
    if (has_word(function.definition, files.routed_words()))
        return {"it names a table that is routed elsewhere", false};
    return {};
}

void strip(FunctionDefinition& function) {
    function.definition.clear();
    function.comment.clear();
}

// ---- on tables

Verdict verdict_on_table(const TableSays& says, std::initializer_list<std::string*> texts) {
    for (const std::string* text : texts)
        if (!text->empty() && (says.strict || says.is_about_hidden(*text)))
            return {"it names columns that have rules", true};
    for (std::string* text : texts) *text = renamed(*text, says.columns);
    return {};
}

Verdict verdict(const TableSays& says, TriggerDefinition& trigger) {
    return verdict_on_table(says, {&trigger.event, &trigger.rest});
}
Verdict verdict(const TableSays& says, PolicyDefinition& policy) {
    return verdict_on_table(says, {&policy.expression, &policy.check});
}

void strip(TriggerDefinition& trigger) {
    trigger.event.clear();
    trigger.rest.clear();
}
void strip(PolicyDefinition& policy) {
    policy.expression.clear();
    policy.check.clear();
}

void settle(const Verdict& verdict, auto& definition, DefinitionChange& change, bool after) {
    if (verdict.hides) strip(definition);
    if (after && change.obstacle.empty()) change.obstacle = verdict.why;
}

template <typename T>
bool keep_on_table(const FilesSay& files, T& definition, DefinitionChange& change, bool after) {
    const TableSays says = files.of(definition.table, definition.ancestors);
    if (is_left_out(says, definition.table.schema, definition.table.name)) return false;
    settle(verdict(says, definition), definition, change, after);
    if (says.hides()) definition.comment.clear();
    route(says, definition.table.schema, definition.table.name);
    return true;
}

bool keep_grants(const FilesSay& files, GrantsDefinition& grants) {
    const TableSays says = files.of(grants.table, grants.ancestors);
    if (is_left_out(says, grants.table.schema, grants.table.name)) return false;
    std::erase_if(grants.rights, [&](const Right& right) { return says.excludes(right.column); });
    for (Right& right : grants.rights)
        if (const auto name = says.columns.find(right.column); name != says.columns.end()) right.column = name->second;
    route(says, grants.table.schema, grants.table.name);
    return true;
}

bool keep(const FilesSay& files, Definition& definition, DefinitionChange& change, bool after) {
    if (auto* grants = std::get_if<GrantsDefinition>(&definition)) return keep_grants(files, *grants);
    if (auto* trigger = std::get_if<TriggerDefinition>(&definition))
        return keep_on_table(files, *trigger, change, after);
    if (auto* policy = std::get_if<PolicyDefinition>(&definition)) return keep_on_table(files, *policy, change, after);
    if (auto* view = std::get_if<ViewDefinition>(&definition))
        settle(verdict(files, *view), *view, change, after);
    else if (auto* function = std::get_if<FunctionDefinition>(&definition))
        settle(verdict(files, *function), *function, change, after);
    return true;
}

}  // namespace

bool is_code(const DefinitionChange& change) {
    const std::string_view name = class_of(change);
    return name == "view" || name == "function" || name == "trigger" || name == "policy" || name == "grants";
}

bool keep_code(const FilesSay& files, DefinitionChange& change) {
    if (change.before && !keep(files, *change.before, change, false)) return false;
    return !change.after || keep(files, *change.after, change, true);
}

}  // namespace pgsluice::rules
