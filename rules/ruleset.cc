#include "rules/ruleset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "rules/ddl.h"
#include "rules/node.h"
#include "rules/plan_compiler.h"
#include "rules/rule.h"

namespace pgsluice {
namespace {

using rules::Route;
using rules::RulesFile;
using rules::RunningPlan;
using rules::TableName;
using rules::TableRules;

std::string qualified(const Relation& relation) { return fmt::format("{}.{}", relation.schema, relation.table); }

class FileRuleset final : public Ruleset {
   public:
    FileRuleset(RulesFile file, std::vector<Route> routes) : file_(std::move(file)), routes_(std::move(routes)) {}

    std::shared_ptr<const TablePlan> compile(const RelationPtr& relation) const override { return plan_of(relation); }

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
        if (!apply_to_ddl(file_, routes_, message)) return false;
        change.content = arena.copy(encode(message));
        return true;
    }

   private:
    struct Compiled {
        RelationPtr relation;  // held, so that its address stays its own
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
        if (const auto found = plans_.find(relation.get()); found != plans_.end()) return found->second.plan;
        const rules::PlanInput wanted = input(relation);
        check_name(*relation, wanted);
        auto plan = compile_plan(wanted);
        if (plan != nullptr) sources_[qualified(*plan->target())].insert(qualified(*relation));
        plans_.emplace(relation.get(), Compiled{relation, plan});
        return plan;
    }

    // A table that had rules or a route and was given a name that has none must not pass as it is.
    void check_name(const Relation& relation, const rules::PlanInput& wanted) const {
        if (wanted.rules != nullptr || wanted.route != nullptr) {
            named_[relation.oid] = qualified(relation);
            return;
        }
        const auto before = named_.find(relation.oid);
        if (before == named_.end()) return;
        throw stop_error(fmt::format("unable to go on with table '{}': it was called '{}' before, and the rules and "
                                     "routing files know only that name",
                                     qualified(relation), before->second),
                         "Name the table by its new name in the files, too, and start again.");
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
        const auto is_truncated = [&](const auto& matches) {
            return std::any_of(truncated.begin(), truncated.end(), [&](const RelationPtr& r) { return matches(*r); });
        };
        std::set<std::string> others;
        {
            const std::lock_guard lock(plans_mutex_);
            others = sources_[qualified(target)];
        }
        std::erase_if(others, [&](const std::string& name) {
            return is_truncated([&](const Relation& relation) { return qualified(relation) == name; });
        });
        for (const Route& route : routes_) {
            const bool fills = route.replicate && !route.target.table.empty() && route.target.matches(target);
            if (fills && !is_truncated([&](const Relation& relation) { return route.source.matches(relation); }))
                others.insert(route.place.table);
        }
        if (others.empty()) return;
        throw stop_error(
            fmt::format("unable to truncate '{}': rows of {} are in it too", qualified(target), *others.begin()),
            "List the route's operations without TRUNCATE, and delete the rows in the target yourself.");
    }

    RulesFile file_;
    std::vector<Route> routes_;
    mutable std::mutex plans_mutex_;
    mutable std::unordered_map<const Relation*, Compiled> plans_;
    mutable std::unordered_map<Oid, std::string> named_;            // tables that had rules or a route under this name
    mutable std::map<std::string, std::set<std::string>> sources_;  // tables by the target they are routed to
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
