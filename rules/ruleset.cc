#include "rules/ruleset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>

#include "rules/ddl/ddl.h"
#include "rules/file/node.h"
#include "rules/plan_compiler.h"
#include "rules/rule.h"
#include "rules/table_memory.h"

namespace pgsluice {
namespace {

using rules::Route;
using rules::RulesFile;
using rules::RunningPlan;
using rules::TableName;
using rules::TableRules;

std::string qualified(const Relation& relation) { return fmt::format("{}.{}", relation.schema, relation.table); }

Relation target_of(const Relation& source, const Route* route) {
    Relation target;
    const bool renamed = route != nullptr;
    target.schema = renamed && !route->target.schema.empty() ? route->target.schema : source.schema;
    target.table = renamed && !route->target.table.empty() ? route->target.table : source.table;
    return target;
}

class FileRuleset final : public Ruleset {
   public:
    FileRuleset(RulesFile file, std::vector<Route> routes) : file_(std::move(file)), routes_(std::move(routes)) {}

    std::shared_ptr<const TablePlan> compile(const RelationPtr& relation) const override { return plan_of(relation); }

    std::shared_ptr<const TablePlan> accept(const RelationPtr& relation, Position position) override {
        const std::lock_guard lock(plans_mutex_);
        const rules::PlanInput wanted = input(relation);
        try {
            if (wanted.rules == nullptr && wanted.route == nullptr) memory_.accept_unnamed(*relation, position);
            auto plan = plan_for(relation);
            if (wanted.rules != nullptr || wanted.route != nullptr) memory_.accept(*relation, position, wanted.rules);
            return plan;
        } catch (const Error& error) {
            if (error.action() != Action::retry) refuse(*relation);
            throw;
        }
    }

    void recall(std::map<Oid, TableHistory> seen, Keep keep) override {
        const std::lock_guard lock(plans_mutex_);
        memory_.recall(std::move(seen), std::move(keep));
    }

    void applied(Position upto) override {
        const std::lock_guard lock(plans_mutex_);
        memory_.applied(upto);
    }

    std::vector<std::string> tables() const override {
        std::set<std::string> names;
        for (const TableRules& table : file_.tables) names.insert(table.place.table);
        for (const Route& route : routes_) names.insert(route.place.table);
        return {names.begin(), names.end()};
    }

    bool apply_truncate(Change& change, Arena& /*arena*/) override {
        std::vector<const Relation*> sources;
        for (const RelationPtr& relation : change.truncated) sources.push_back(relation.get());
        const std::lock_guard lock(truncates_mutex_);
        auto found = truncates_.find(sources);
        if (found == truncates_.end())
            found = truncates_.emplace(std::move(sources), map_truncate(change.truncated)).first;
        const std::vector<RelationPtr>& targets = found->second.targets;
        if (targets.empty()) return false;
        change.truncated = targets;
        change.relation = targets[0].get();
        return true;
    }

    bool apply_ddl(Change& change, Arena& arena) const override {
        DdlMessage message = decode_ddl(change.content);
        const auto above = [this](const QualifiedName& table) { return ancestors_of(table); };
        if (!rules::apply_to_ddl(file_, routes_, above, message)) return false;
        change.content = arena.copy(encode(message));
        return true;
    }

    std::vector<Error> know(std::span<const RelationPtr> tables) override {
        std::vector<Error> problems;
        const std::lock_guard lock(plans_mutex_);
        for (const RelationPtr& relation : tables) {
            know_source(relation);
            memory_.know(*relation);
            try {
                const rules::PlanInput wanted = input(relation);
                compile_fitted(wanted);
                if (wanted.rules != nullptr || wanted.route != nullptr) memory_.expect(*relation, wanted.rules);
            } catch (const Error& error) {
                problems.push_back(error);
            }
        }
        knows_all_ = true;
        return problems;
    }

    void know_former(std::span<const RelationPtr> tables) override {
        const std::lock_guard lock(plans_mutex_);
        for (const RelationPtr& relation : tables) know_source(relation);
    }

   private:
    struct Compiled {
        RelationPtr relation;  // held, so that its address is not reused
        std::shared_ptr<const RunningPlan> plan;
    };
    struct Truncate {
        std::vector<RelationPtr> sources;  // held, as above
        std::vector<RelationPtr> targets;
    };

    rules::PlanInput input(const RelationPtr& relation) const {
        return {relation, &file_, entry_for(file_.tables, *relation, &TableRules::name),
                entry_for(routes_, *relation, &Route::source)};
    }

    std::shared_ptr<const RunningPlan> plan_of(const RelationPtr& relation) const {
        const std::lock_guard lock(plans_mutex_);
        return plan_for(relation);
    }

    std::shared_ptr<const RunningPlan> plan_for(const RelationPtr& relation) const {
        if (const auto found = plans_.find(relation.get()); found != plans_.end()) return found->second.plan;
        auto plan = compile_fitted(input(relation));
        remember_ancestors(*relation);
        if (plan != nullptr) sources_[qualified(*plan->target())].insert(qualified(*relation));
        plans_.emplace(relation.get(), Compiled{relation, plan});
        return plan;
    }

    std::shared_ptr<const RunningPlan> compile_fitted(rules::PlanInput wanted) const {
        TableRules fitted;
        if (wanted.rules != nullptr) {
            fitted = memory_.fitted(*wanted.rules, *wanted.relation);
            wanted.rules = &fitted;
        }
        return compile_plan(wanted);
    }

    // The first error is the one to report.
    void refuse(const Relation& relation) {
        try {
            memory_.refuse(relation);
        } catch (const Error&) {
        }
    }

    void know_source(const RelationPtr& relation) const {
        remember_ancestors(*relation);
        const rules::PlanInput wanted = input(relation);
        if (wanted.route == nullptr || wanted.route->replicate)
            sources_[qualified(target_of(*relation, wanted.route))].insert(qualified(*relation));
    }

    void remember_ancestors(const Relation& relation) const { ancestors_[qualified(relation)] = relation.ancestors; }

    std::optional<std::vector<QualifiedName>> ancestors_of(const QualifiedName& table) const {
        const std::lock_guard lock(plans_mutex_);
        const auto found = ancestors_.find(fmt::format("{}.{}", table.schema, table.table));
        if (found == ancestors_.end()) return std::nullopt;
        return found->second;
    }

    Truncate map_truncate(std::span<const RelationPtr> truncated) const {
        Truncate mapped{{truncated.begin(), truncated.end()}, {}};
        for (const RelationPtr& relation : truncated) {
            const auto plan = plan_of(relation);
            if (plan == nullptr || !plan->passes(Op::truncate)) continue;
            check_shared(*plan->target(), truncated);
            const auto& name = *plan->target();
            const bool known = std::any_of(mapped.targets.begin(), mapped.targets.end(), [&](const RelationPtr& other) {
                return other->schema == name.schema && other->table == name.table;
            });
            if (!known) mapped.targets.push_back(plan->target());
        }
        return mapped;
    }

    // Every table that fills the target must be among the truncated.
    void check_shared(const Relation& target, std::span<const RelationPtr> truncated) const {
        std::set<std::string> others = sources_of(target);
        for (const RelationPtr& relation : truncated) others.erase(qualified(*relation));
        for (const Route& route : routes_) {
            const bool among = std::any_of(truncated.begin(), truncated.end(),
                                           [&](const RelationPtr& r) { return route.source.covers(*r); });
            if (!among && route.fills(target.schema, target.table)) others.insert(route.place.table);
        }
        if (others.empty()) return;
        throw stop_error(
            fmt::format("unable to truncate '{}': it also holds rows of {}", qualified(target), *others.begin()),
            "List the route's operations without TRUNCATE, and delete the rows in the target by hand.");
    }

    // The tables that are known to fill the target; as long as not all are known, the table of its name is one.
    std::set<std::string> sources_of(const Relation& target) const {
        const std::lock_guard lock(plans_mutex_);
        std::set<std::string> sources = sources_[qualified(target)];
        const Route* route = entry_of(routes_, target.schema, target.table, &Route::source);
        if (!knows_all_ && (route == nullptr || route->fills(target.schema, target.table)))
            sources.insert(qualified(target));
        return sources;
    }

    RulesFile file_;
    std::vector<Route> routes_;
    mutable std::mutex plans_mutex_;
    mutable std::unordered_map<const Relation*, Compiled> plans_;
    rules::TableMemory memory_;
    mutable std::map<std::string, std::set<std::string>> sources_;         // tables by the target they are routed to
    mutable std::map<std::string, std::vector<QualifiedName>> ancestors_;  // of the tables met
    bool knows_all_ = false;
    std::mutex truncates_mutex_;
    std::map<std::vector<const Relation*>, Truncate> truncates_;
};

}  // namespace

std::unique_ptr<Ruleset> Ruleset::load(const RulesOptions& options) {
    RulesFile file;
    std::vector<Route> routes;
    if (!options.rules_file.empty()) file = read_rules(rules::read_yaml_file(options.rules_file), options.rules_file);
    if (!options.routing_file.empty())
        routes = read_routes(rules::read_yaml_file(options.routing_file), options.routing_file);
    return std::make_unique<FileRuleset>(std::move(file), std::move(routes));
}

}  // namespace pgsluice
