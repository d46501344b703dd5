#include "sinks/ddl/derive.h"

#include <algorithm>
#include <map>

#include "sinks/ddl/code_ddl.h"
#include "sinks/ddl/index_ddl.h"
#include "sinks/ddl/place_ddl.h"
#include "sinks/ddl/table_ddl.h"
#include "sinks/ddl/type_ddl.h"

namespace pgsluice {

namespace {

template <typename T>
const T* part(const std::optional<Definition>& definition) {
    return definition ? &std::get<T>(*definition) : nullptr;
}

// How many of the table's parents, one above the other, the message holds.
std::size_t depth(const DefinitionMessage& message, const DefinitionChange& change, std::size_t limit = 64) {
    if (class_of(change) != "table" || !change.after || limit == 0) return 0;
    std::size_t deepest = 0;
    for (const ObjectName& parent : std::get<TableDefinition>(*change.after).parents)
        for (const DefinitionChange& other : message.objects)
            if (other.oid == parent.oid && class_of(other) == "table")
                deepest = std::max(deepest, 1 + depth(message, other, limit - 1));
    return deepest;
}

std::vector<const DefinitionChange*> parents_first(const DefinitionMessage& message) {
    std::vector<const DefinitionChange*> changes;
    std::map<const DefinitionChange*, std::size_t> depths;
    for (const DefinitionChange& change : message.objects) {
        changes.push_back(&change);
        depths[&change] = depth(message, change);
    }
    std::stable_sort(changes.begin(), changes.end(),
                     [&](const auto* a, const auto* b) { return depths[a] < depths[b]; });
    return changes;
}

constexpr const char* unknown_before = "what the object was before this command is not known";

// What uses it is new; and it may be missing on the target.
bool is_unchanged(const DefinitionChange& change) {
    return change.before && change.after && *change.before == *change.after && change.rewritten == 0 && !change.recopy;
}

DefinitionChange as_needed(DefinitionChange change) {
    if (is_unchanged(change)) change.before.reset();
    return change;
}

}  // namespace

std::vector<DerivedStatement> derive(const DefinitionMessage& message) {
    DdlPhases out;
    TableDdl tables(message, out);
    drop_views(message, out);
    tables.drop_tables();
    for (const DefinitionChange* change : parents_first(message)) {
        const DefinitionChange needed = as_needed(*change);
        const auto& before = needed.before;
        const auto& after = needed.after;
        out.obstacle(change->unknown && change->obstacle.empty() ? unknown_before : change->obstacle);
        out.own_rows(change->own_rows);
        out.only_if_missing(is_unchanged(*change));
        const std::string_view name = class_of(*change);
        if (change->unseen)
            tables.wait(*change);
        else if (name == "table")
            tables.derive(needed);
        else if (name == "index")
            derive_index(message, needed, tables, out);
        else if (name == "statistics")
            derive_statistics(part<StatisticsDefinition>(before), part<StatisticsDefinition>(after), tables, out);
        else if (name == "sequence")
            derive_sequence(part<SequenceDefinition>(before), part<SequenceDefinition>(after), out);
        else if (name == "type")
            derive_type(part<TypeDefinition>(before), part<TypeDefinition>(after), out);
        else if (name == "schema")
            derive_schema(part<SchemaDefinition>(before), part<SchemaDefinition>(after), out);
        else if (name == "view")
            derive_view(part<ViewDefinition>(before), part<ViewDefinition>(after), out);
        else if (name == "function")
            derive_function(part<FunctionDefinition>(before), part<FunctionDefinition>(after), out);
        else if (name == "trigger")
            derive_trigger(part<TriggerDefinition>(before), part<TriggerDefinition>(after), out);
        else if (name == "policy")
            derive_policy(part<PolicyDefinition>(before), part<PolicyDefinition>(after), out);
        else if (name == "grants")
            derive_grants(part<GrantsDefinition>(before), part<GrantsDefinition>(after), out);
        else
            derive_extension(part<ExtensionDefinition>(before), part<ExtensionDefinition>(after), out);
    }
    return std::move(out).in_order();
}

std::vector<QualifiedName> DerivedStatement::tables() const {
    if (made) return {*made};
    if (destroys.empty()) return table ? std::vector{*table} : std::vector<QualifiedName>{};
    std::vector<QualifiedName> all;
    for (const Destroyed& destroyed : destroys) all.push_back(destroyed.table);
    return all;
}

std::string DerivedStatement::shown() const {
    const auto at = missing ? text.find(*missing) : std::string::npos;
    return at == std::string::npos ? text : text.substr(0, at) + "..." + text.substr(at + missing->size());
}

std::string text_of(const std::vector<DerivedStatement>& statements) {
    std::string text;
    for (const DerivedStatement& statement : statements) text += (text.empty() ? "" : "; ") + statement.text;
    return text;
}

}  // namespace pgsluice
