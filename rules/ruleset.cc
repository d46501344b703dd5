#include "rules/ruleset.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules/ddl/ddl.h"
#include "rules/ddl/definitions.h"
#include "rules/ddl/told_keys.h"
#include "rules/listed_columns.h"
#include "rules/meaning.h"
#include "rules/rules_files.h"
#include "stream/full_name.h"

namespace pgsluice {

using rules::CompilerInput;
using rules::Route;
using rules::TableRules;

namespace {

Relation target_of(const Relation& source, const Route* route) {
    Relation target;
    const bool renamed = route != nullptr;
    target.schema = renamed && !route->target.schema.empty() ? route->target.schema : source.schema;
    target.table = renamed && !route->target.table.empty() ? route->target.table : source.table;
    if (renamed) target.keeping = route->keeping(source);
    return target;
}

bool is_named(const CompilerInput& input) {
    return input.rules != nullptr || (input.route != nullptr && input.route->names_table());
}

}  // namespace

std::unique_ptr<Ruleset> Ruleset::load(const RulesOptions& options) {
    RulesFiles files = read_rules_files(options);
    return std::make_unique<Ruleset>(std::move(files.rules), std::move(files.routes));
}

Ruleset::Ruleset(rules::RulesFile file, std::vector<Route> routes)
    : given_(std::move(file)),
      routes_(std::move(routes)),
      inherited_(std::make_shared<const rules::InheritedRules>(given_, keys_.all(), routes_)) {}

std::shared_ptr<const CompiledRules> Ruleset::compile(const RelationPtr& relation) const {
    const std::lock_guard lock(mutex_);
    return compile_locked(relation);
}

std::shared_ptr<const CompiledRules> Ruleset::accept(const RelationPtr& relation, Position position) {
    const std::lock_guard lock(mutex_);
    meet_keys(relation);
    const CompilerInput wanted = input(relation);
    try {
        if (!is_named(wanted)) memory_.accept_unnamed(*relation, position);
        auto compiled = compile_locked(relation);
        if (is_named(wanted)) memory_.accept(*relation, position, wanted.rules);
        return compiled;
    } catch (const Error& error) {
        if (error.action() != Action::retry) refuse(*relation);
        throw;
    }
}

void Ruleset::recall(std::map<Oid, TableHistory> seen, Keep keep) {
    const std::lock_guard lock(mutex_);
    memory_.recall(std::move(seen), std::move(keep));
}

void Ruleset::applied(Position upto) {
    const std::lock_guard lock(mutex_);
    memory_.applied(upto);
}

void Ruleset::refer(rules::ForeignKeys keys, LookForKeys look) {
    const std::lock_guard lock(mutex_);
    keys_.begin(std::move(keys), std::move(look));
    inherit();
}

void Ruleset::inherit() { inherited_ = std::make_shared<const rules::InheritedRules>(given_, keys_.all(), routes_); }

std::vector<rules::ReferringColumn> Ruleset::referring_columns() const { return in_force()->columns(); }

std::shared_ptr<const rules::InheritedRules> Ruleset::in_force() const {
    const std::lock_guard lock(mutex_);
    return inherited_;
}

// And with keys that a command has made, of tables that no row came of so far.
std::shared_ptr<const rules::InheritedRules> Ruleset::in_force_with(rules::ForeignKeys told) const {
    const std::lock_guard lock(mutex_);
    if (told.references.empty()) return inherited_;
    const rules::ForeignKeys& known = keys_.all();
    told.references.insert(told.references.begin(), known.references.begin(), known.references.end());
    told.tables.insert(told.tables.begin(), known.tables.begin(), known.tables.end());
    return std::make_shared<const rules::InheritedRules>(given_, told, routes_);
}

std::vector<std::string> Ruleset::tables() const {
    std::set<std::string> names;
    for (const TableRules& table : given_.tables) names.insert(table.place.table);
    for (const Route& route : routes_)
        if (route.source.rank() > 0) names.insert(route.place.table);
    return {names.begin(), names.end()};
}

bool Ruleset::apply_truncate(Change& change, Arena& /*arena*/) {
    std::vector<const Relation*> sources;
    for (const RelationPtr& relation : change.truncated) sources.push_back(relation.get());
    const std::lock_guard lock(truncates_mutex_);
    auto found = truncates_.find(sources);
    if (found == truncates_.end()) {
        // Rows may follow, with what is compiled here.
        for (const RelationPtr& relation : change.truncated) {
            const std::lock_guard keys_lock(mutex_);
            meet_keys(relation);
        }
        found = truncates_.emplace(std::move(sources), map_truncate(change.truncated)).first;
    }
    const std::vector<RelationPtr>& targets = found->second.targets;
    for (const RelationPtr& target : targets) check_shared(*target, change.truncated);
    if (targets.empty()) return false;
    change.truncated = targets;
    change.relation = targets[0].get();
    return true;
}

bool Ruleset::apply_ddl(Change& change, Arena& arena) const {
    if (holds_definitions(change.content)) return apply_definitions(change, arena);
    DdlMessage message = decode_ddl(change.content);
    const auto above = [this](const QualifiedName& table) { return ancestors_of(table); };
    if (!rules::apply_to_ddl(in_force()->file(), routes_, above, message)) return false;
    change.content = arena.copy(encode(message));
    return true;
}

bool Ruleset::apply_definitions(Change& change, Arena& arena) const {
    DefinitionMessage message = decode_definitions(change.content);
    const auto fitted = [this](const TableRules& rules, const Relation& table) {
        const std::lock_guard lock(mutex_);
        return memory_.fitted(rules, table);
    };
    if (!rules::apply_to_definitions(in_force_with(rules::told_keys(message))->file(), routes_, fitted, message))
        return false;
    change.content = arena.copy(encode(message));
    return true;
}

std::vector<Error> Ruleset::know(std::span<const RelationPtr> tables) {
    std::vector<Error> problems;
    const std::lock_guard lock(mutex_);
    for (const RelationPtr& relation : tables) {
        know_source(relation);
        memory_.know(*relation);
        try {
            const CompilerInput wanted = input(relation);
            static_cast<void>(compile_fitted(wanted));
            if (is_named(wanted)) memory_.expect(*relation, wanted.rules);
        } catch (const Error& error) {
            problems.push_back(error);
        }
    }
    knows_all_ = true;
    return problems;
}

void Ruleset::know_former(std::span<const RelationPtr> tables) {
    const std::lock_guard lock(mutex_);
    for (const RelationPtr& relation : tables) know_source(relation);
}

CompilerInput Ruleset::input(const RelationPtr& relation) const {
    CompilerInput input{relation, &file(), entry_for(file().tables, *relation, &TableRules::name),
                        entry_for(routes_, *relation, &Route::source), keys_.all().tables};
    if (has_listed(input.route)) input.rules = with_listed_columns(input);
    return input;
}

const TableRules* Ruleset::with_listed_columns(const CompilerInput& input) const {
    Listed& listed = listed_[input.relation.get()];
    if (listed.rules == nullptr) {
        TableRules rules = rules::with_listed(input.rules, input.route, *input.relation);
        if (input.rules == nullptr) rules.strict = given_.strict;
        listed = {input.relation, std::make_unique<const TableRules>(std::move(rules))};
    }
    return listed.rules.get();
}

std::shared_ptr<const CompiledRules> Ruleset::compile_locked(const RelationPtr& relation) const {
    if (const auto found = compiled_.find(relation.get()); found != compiled_.end()) return found->second.rules;
    auto compiled = compile_fitted(input(relation));
    remember_ancestors(*relation);
    if (compiled != nullptr) note_source(*relation, *compiled->target());
    compiled_.emplace(relation.get(), Compiled{relation, compiled});
    return compiled;
}

// Hands on the rules as they hold for this definition of the table.
template <typename Use>
auto Ruleset::with_fitted(CompilerInput wanted, Use use) const {
    TableRules fitted;
    if (wanted.rules != nullptr) {
        fitted = memory_.fitted(*wanted.rules, *wanted.relation);
        wanted.rules = &fitted;
    }
    return use(wanted);
}

std::shared_ptr<const CompiledRules> Ruleset::compile_fitted(const CompilerInput& wanted) const {
    inherited_->check(*wanted.relation);
    return with_fitted(wanted, [](const CompilerInput& input) { return compile_rules(input); });
}

DeliveredRules Ruleset::meaning(const RelationPtr& relation) const {
    const std::lock_guard lock(mutex_);
    return with_fitted(input(relation), [](const CompilerInput& input) { return rules::meaning_of(input); });
}

DeliveredRules Ruleset::meaning_as(const RelationPtr& relation, const QualifiedName& name) const {
    auto other = std::make_shared<Relation>(*relation);
    other->oid = 0;
    other->schema = name.schema;
    other->table = name.table;
    other->ancestors.clear();
    const std::lock_guard lock(mutex_);
    const auto has = [&](const std::string& column) {
        return std::ranges::find(other->columns, column, &Column::name) != other->columns.end();
    };
    if (const TableRules* under = entry_for(file().tables, *other, &TableRules::name))
        for (const rules::Rule& rule : under->rules)
            if (!has(rule.column) && !has(rule.was)) other->columns.emplace_back().name = rule.column;
    return with_fitted(input(other), [](const CompilerInput& input) { return rules::meaning_of(input); });
}

std::optional<QualifiedName> Ruleset::routed_to(const Relation& relation) const {
    const Route* route = entry_for(routes_, relation, &Route::source);
    if (route != nullptr && !route->replicate) return std::nullopt;
    const Relation target = target_of(relation, route);
    return QualifiedName{target.schema, target.table};
}

bool Ruleset::passes_by(const RelationPtr& relation) const {
    const std::lock_guard lock(mutex_);
    return (!given_.tables.empty() || !routes_.empty()) && !is_named(input(relation));
}

// Looks for the keys that came with the definition.
void Ruleset::meet_keys(const RelationPtr& relation) {
    if (goes_by_keys() && keys_.meet(relation)) inherit();
}

// The first error is the one to report.
void Ruleset::refuse(const Relation& relation) {
    try {
        memory_.refuse(relation);
    } catch (const Error&) {
    }
}

void Ruleset::know_source(const RelationPtr& relation) const {
    remember_ancestors(*relation);
    const Route* route = entry_for(routes_, *relation, &Route::source);
    if (route == nullptr || route->replicate) note_source(*relation, target_of(*relation, route));
}

void Ruleset::note_source(const Relation& source, const Relation& target) const {
    sources_[{full_name(target), target.keeping.constants}].insert(full_name(source));
}

void Ruleset::remember_ancestors(const Relation& relation) const {
    ancestors_[full_name(relation)] = relation.ancestors;
}

std::optional<std::vector<QualifiedName>> Ruleset::ancestors_of(const QualifiedName& table) const {
    const std::lock_guard lock(mutex_);
    const auto found = ancestors_.find(full_name(table));
    if (found == ancestors_.end()) return std::nullopt;
    return found->second;
}

Ruleset::Truncate Ruleset::map_truncate(std::span<const RelationPtr> truncated) const {
    Truncate mapped{{truncated.begin(), truncated.end()}, {}};
    for (const RelationPtr& relation : truncated) {
        const auto compiled = compile(relation);
        if (compiled == nullptr || !compiled->passes(Op::truncate)) continue;
        const auto& name = *compiled->target();
        const bool known = std::any_of(mapped.targets.begin(), mapped.targets.end(), [&](const RelationPtr& other) {
            return other->schema == name.schema && other->table == name.table &&
                   other->keeping.constants == name.keeping.constants;
        });
        if (!known) mapped.targets.push_back(compiled->target());
    }
    return mapped;
}

std::set<std::string> Ruleset::others_in(const Relation& target, std::span<const RelationPtr> tables) const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> others = sources_[{full_name(target), target.keeping.constants}];
    for (const RelationPtr& relation : tables) others.erase(full_name(*relation));
    return others;
}

// Every table that fills the target must be among the truncated. Asked each time: more tables may be known than the
// last.
void Ruleset::check_shared(const Relation& target, std::span<const RelationPtr> truncated) const {
    std::set<std::string> others = sources_of(target);
    for (const RelationPtr& relation : truncated) others.erase(full_name(*relation));
    for (const Route& route : routes_) {
        const bool among = std::any_of(truncated.begin(), truncated.end(),
                                       [&](const RelationPtr& r) { return route.source.covers(*r); });
        if (!among && route.constants.empty() == target.keeping.constants.empty() &&
            route.fills(target.schema, target.table))
            others.insert(route.place.table);
    }
    if (others.empty()) return;
    throw stop_error(
        fmt::format("unable to truncate '{}': it also holds rows of {}", full_name(target), *others.begin()),
        "List the route's operations without TRUNCATE, delete the rows in the target by hand, and start the worker "
        "with "
        "--on-rules-change continue.");
}

// The tables that are known to fill the target; as long as not all are known, the table of its name is one.
std::set<std::string> Ruleset::sources_of(const Relation& target) const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> sources = sources_[{full_name(target), target.keeping.constants}];
    const Route* route = entry_of(routes_, target.schema, target.table, &Route::source);
    if (!knows_all_ && (route == nullptr || route->fills(target.schema, target.table)))
        sources.insert(full_name(target));
    return sources;
}

}  // namespace pgsluice
