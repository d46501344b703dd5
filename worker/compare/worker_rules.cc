#include "worker/compare/worker_rules.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rules/delivered.h"
#include "sinks/postgres/progress.h"
#include "sql/error.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/source_rules.h"

namespace pgsluice {

namespace {

std::map<Oid, std::string> notes_of(const CompareOptions& options, sql::Connection& target) {
    const auto readable = target.query(
        "SELECT coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass('pgsluice.rules'), 'SELECT'), false)",
        {}, {1, 1, 1});
    if (!readable.boolean(0, 0)) return {};
    return PostgresProgress::table_notes(target, options.names.group, options.worker);
}

Error other_rules(const std::string& worker, const std::string& tables) {
    return stop_error(
        fmt::format("unable to compare: worker '{}' applies other rules than those given: {}", worker, tables),
        "Give the --rules-config and --routing-config that the worker runs with. After a change of these files start "
        "the worker with them first.");
}

Error rules_of_its_own(const std::string& worker, const std::string& tables) {
    return stop_error(fmt::format("unable to compare: the group's replicator applies rules, and worker '{}' others "
                                  "after them: {}",
                                  worker, tables),
                      "Give all rules to the replicator, and its file to compare.");
}

}  // namespace

void require_worker_rules(const CompareOptions& options, const Ruleset& rules,
                          std::span<const PublishedTable> published, Broker& broker, sql::Connection& target) {
    const auto notes = notes_of(options, target);
    const bool at_source = find_source_rules(broker, options.names).has_value();
    std::unique_ptr<Ruleset> routes;  // what is left for a worker
    if (at_source) routes = Ruleset::load({"", options.rules.routing_file});
    std::vector<ChangedTable> changed;
    for (const PublishedTable& table : published) {
        const auto noted = notes.find(table.relation->oid);
        if (noted == notes.end()) continue;
        const DeliveredRules before = decode_delivered_rules(noted->second);
        if (before.mixed) continue;
        auto found = differences(before, (at_source ? *routes : rules).meaning(table.relation));
        if (!found.empty()) changed.push_back({table.relation, std::move(found)});
    }
    if (changed.empty()) return;
    const std::string tables = describe(changed);
    throw at_source ? rules_of_its_own(options.worker, tables) : other_rules(options.worker, tables);
}

}  // namespace pgsluice
